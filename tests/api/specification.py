"""The examples of the API's specification, as it writes them: what is sent, and what it shows of the answer.

A kind appends a tuple of its own, names it in `EXAMPLES`, and has its plural among those of `LISTS`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A request and what is shown of its answer, both bodies as JSON.

    `{user_id}` and its like in the path and `user-uuid` in the body stand for ids that exist. `null` are fields that
    are shown with a value and have none in the answer to just this request. With `same` the values are those shown.
    """

    request: str
    status: int
    body: str = ""
    shown: str = ""
    null: tuple[str, ...] = ()
    same: bool = False

    @property
    def method(self) -> str:
        return self.request.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.request.partition(" ")[2]


def _first(page: str, key: str) -> str:
    """The object that a list shows: "same structure as in list"."""
    return json.dumps(json.loads(page)[key][0])


PAGE = '{"total": 150, "page": 1, "limit": 20, "pages": 8}'
USERS = """{
  "users": [
    {
      "id": "123e4567-e89b-12d3-a456-426614174000",
      "username": "john", "email": "john@example.com", "full_name": "John Doe",
      "role": "user", "package_name": "default", "disk_quota": 1024, "bandwidth_quota": 10240,
      "web_domains_limit": 5, "dns_domains_limit": 5, "mail_domains_limit": 3,
      "databases_limit": 5, "cron_jobs_limit": 10, "disk_used": 512, "bandwidth_used": 2048,
      "web_domains_count": 2, "dns_domains_count": 2, "mail_domains_count": 1,
      "databases_count": 3, "cron_jobs_count": 5, "is_active": true, "is_suspended": false,
      "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"
    }
  ],
  "total": 25, "page": 1, "limit": 20, "pages": 2
}"""
DOMAINS = """{
  "domains": [
    {
      "id": "123e4567-e89b-12d3-a456-426614174000",
      "user_id": "user-uuid", "domain": "example.com",
      "ip_address": "192.168.1.100", "ipv6_address": "2001:db8::1",
      "web_template": "default", "backend_template": "PHP-8.3", "proxy_template": null,
      "document_root": "/home/user/web/example.com/public_html",
      "ssl_enabled": true, "ssl_force": true, "ssl_hsts": true,
      "letsencrypt_enabled": true, "letsencrypt_wildcard": false, "aliases": ["www.example.com"],
      "bandwidth_used": 1024, "is_active": true, "is_suspended": false,
      "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"
    }
  ],
  "total": 5, "page": 1, "limit": 20, "pages": 1
}"""
CERTIFICATES = """{
  "certificates": [
    {
      "id": "cert-uuid", "user_id": "user-uuid", "domain": "example.com",
      "issuer": "Let's Encrypt", "subject": "CN=example.com", "san_domains": ["example.com", "www.example.com"],
      "valid_from": "2024-01-01T00:00:00Z", "valid_until": "2024-04-01T00:00:00Z",
      "acme_provider": "letsencrypt", "acme_challenge_type": "dns01", "auto_renew": true,
      "is_active": true, "is_wildcard": false, "created_at": "2024-01-01T00:00:00Z"
    }
  ]
}"""
NEW_CERTIFICATE = """{
  "domain": "newsite.com", "san_domains": ["newsite.com", "www.newsite.com"], "acme_provider": "letsencrypt",
  "acme_challenge_type": "dns01", "auto_renew": true, "is_wildcard": false
}"""
JOBS = """{
  "jobs": [
    {
      "id": "job-uuid", "job_type": "backup", "user_id": "user-uuid", "status": "completed",
      "parameters": {"backup_type": "full", "destination": "s3://backups/user123/"},
      "started_at": "2024-01-01T02:00:00Z", "completed_at": "2024-01-01T02:15:00Z",
      "output_log": "Backup completed successfully...", "created_at": "2024-01-01T02:00:00Z"
    }
  ]
}"""
ZONES = """{
  "zones": [
    {
      "id": "zone-uuid", "user_id": "user-uuid", "domain": "example.com",
      "primary_ns": "ns1.example.com", "admin_email": "admin@example.com", "serial": 2024010101,
      "refresh_interval": 3600, "retry_interval": 1800, "expire_interval": 1209600, "minimum_ttl": 86400,
      "dns_provider": "cloudflare", "provider_zone_id": "cf-zone-id", "dnssec_enabled": true,
      "template": "default", "is_active": true, "created_at": "2024-01-01T00:00:00Z"
    }
  ]
}"""
RECORDS = """{
  "records": [
    {
      "id": "record-uuid", "zone_id": "zone-uuid", "name": "@", "record_type": "A",
      "value": "192.168.1.100", "ttl": 3600, "priority": 0, "is_active": true,
      "created_at": "2024-01-01T00:00:00Z"
    },
    {
      "id": "record-uuid-2", "zone_id": "zone-uuid", "name": "www", "record_type": "CNAME",
      "value": "example.com", "ttl": 3600, "priority": 0, "is_active": true,
      "created_at": "2024-01-01T00:00:00Z"
    }
  ]
}"""
NEW_ZONE = """{
  "domain": "newdomain.com", "primary_ns": "ns1.ghostcp.com", "admin_email": "admin@newdomain.com",
  "dns_provider": "cloudflare", "dnssec_enabled": true, "template": "default"
}"""
NEW_RECORD = """{
  "name": "mail", "record_type": "A", "value": "192.168.1.101", "ttl": 3600, "priority": 0
}"""
NEW_USER = """{
  "username": "newuser", "email": "newuser@example.com", "password": "securepassword123",
  "full_name": "New User", "package_name": "basic", "role": "user",
  "disk_quota": 2048, "bandwidth_quota": 20480, "web_domains_limit": 10, "dns_domains_limit": 10,
  "mail_domains_limit": 5, "databases_limit": 10, "cron_jobs_limit": 20,
  "shell": "/bin/bash", "language": "en", "timezone": "UTC"
}"""
CHANGED_USER = """{
  "email": "updated@example.com", "full_name": "Updated Name", "disk_quota": 4096, "is_suspended": false
}"""
NEW_DOMAIN = """{
  "domain": "newsite.com", "ip_address": "192.168.1.100", "web_template": "default",
  "backend_template": "PHP-8.3", "aliases": ["www.newsite.com"], "ssl_enabled": true, "letsencrypt_enabled": true
}"""
NEW_JOB = """{
  "job_type": "backup", "user_id": "user-uuid",
  "parameters": {"backup_type": "incremental", "include_files": true, "include_databases": true},
  "priority": 1, "scheduled_for": "2024-01-01T03:00:00Z"
}"""
NEW_WEBHOOK = """{
  "url": "https://your-app.com/webhook",
  "events": ["user.created", "domain.ssl.renewed", "backup.completed"], "secret": "webhook-secret-key"
}"""
HEALTH = '{"status": "healthy", "service": "ghostcp-api", "version": "0.1.0"}'
NOT_FOUND = """{
  "error": "Resource not found", "status": 404, "details": {"resource": "user", "id": "nonexistent-id"}
}"""
LOGIN = '{"username": "admin", "password": "password", "two_factor_code": "123456"}'
SESSION = """{
  "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9...", "expires_at": "2024-12-25T10:30:00Z",
  "user": {
    "id": "123e4567-e89b-12d3-a456-426614174000",
    "username": "admin", "email": "admin@example.com", "role": "admin"
  }
}"""

LISTS = ("users", "domains", "ssl", "dns", "jobs")
FILTERS = ("", "?created_after=2024-01-01&created_before=2024-12-31", "?sort=created_at&order=desc")
EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "health": (Example("GET /health", 200, shown=HEALTH, same=True),),
    "errors": (Example("GET /api/v1/users/nonexistent-id", 404, shown=NOT_FOUND, same=True),),
    "docs": (Example("GET /api/v1/openapi.json", 200), Example("GET /api/docs", 200)),
    "auth": (Example("POST /api/v1/auth/login", 200, LOGIN, SESSION),),
    "lists": (
        *(Example(f"GET /api/v1/{key}{query}", 200, shown=PAGE) for key in LISTS for query in FILTERS),
        Example("GET /api/v1/jobs?status=active,pending", 200, shown=PAGE),
    ),
    "users": (
        Example("GET /api/v1/users?page=1&limit=20&role=user&search=john", 200, shown=USERS),
        Example("POST /api/v1/users", 201, NEW_USER, _first(USERS, "users")),
        Example("GET /api/v1/users/{user_id}", 200, shown=_first(USERS, "users")),
        Example("PUT /api/v1/users/{user_id}", 200, CHANGED_USER, _first(USERS, "users")),
        Example("DELETE /api/v1/users/{user_id}", 204),
    ),
    "domains": (
        Example("GET /api/v1/domains?user_id={user_id}&page=1&limit=20", 200, shown=DOMAINS),
        Example("POST /api/v1/domains", 201, NEW_DOMAIN, _first(DOMAINS, "domains"), ("ipv6_address",)),
    ),
    "ssl": (
        Example("GET /api/v1/ssl?user_id={user_id}", 200, shown=CERTIFICATES),
        Example(
            "POST /api/v1/ssl",
            201,
            NEW_CERTIFICATE,
            _first(CERTIFICATES, "certificates"),
            ("issuer", "subject", "valid_from", "valid_until"),
        ),
    ),
    "dns": (
        Example("GET /api/v1/dns?user_id={user_id}", 200, shown=ZONES),
        Example("POST /api/v1/dns", 201, NEW_ZONE, _first(ZONES, "zones"), ("provider_zone_id",)),
        Example("GET /api/v1/dns/{zone_id}/records", 200, shown=RECORDS),
        Example("POST /api/v1/dns/{zone_id}/records", 201, NEW_RECORD, _first(RECORDS, "records")),
    ),
    "jobs": (
        Example("GET /api/v1/jobs?status=running&job_type=backup", 200, shown=JOBS, null=("completed_at",)),
    ),
    "webhooks": (Example("POST /api/v1/webhooks", 201, NEW_WEBHOOK),),
}
LATER = (Example("POST /api/v1/jobs", 201, NEW_JOB, _first(JOBS, "jobs"), ("started_at", "completed_at")),)
"""What asks for a sort of job that comes with its kind, which then puts it among the `EXAMPLES`."""
