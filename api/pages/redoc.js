// Shows the OpenAPI document to read; nothing is asked of any other host.
Redoc.init(
  "/api/v1/openapi.json",
  { disableSearch: false, hideDownloadButton: false, nativeScrollbars: true },
  document.getElementById("redoc"),
);
