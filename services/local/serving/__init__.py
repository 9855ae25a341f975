"""A scoring server with the contract of an Azure ML web service, on loopback.

    GET  /              200 ``Healthy`` once it can score, 503 before
    POST /score         ``{"data": [{column: value, …}, …]}`` → 200 with a JSON *string* that
                        holds ``{"result": ["no", …]}``, as the scripts AutoML writes answer.
                        ``"method": "predict_proba"`` beside ``data`` answers one list of
                        probabilities per row, in the order of the model's classes.
    GET  /swagger.json  OpenAPI 2.0, or 3.0 with ``?version=3``

Refusals are JSON, ``{"message": …}``, and never a 200: 400 names the column, 401 the key, 404
and 405 the route, 413 the size, 415 the content type, 503 that it is starting. A key goes in
``Authorization: Bearer …``; the health check and the description need none.

Every answer carries ``x-ms-request-id`` and ``x-request-id``; an answer of ``/score`` also
``x-ms-run-function-failed`` and, once it ran, ``x-ms-run-fn-exec-ms``.

Known defects of Azure's own server that are not copied: bad values answered with an opaque
500, ``57.9`` silently cut to 57 in a column of whole numbers, every request reported to
Application Insights as a success that took no time, and a health check that waits behind a
score.

Source: azureml-inference-server-http 1.5.1, whose answers the tests compare with ours.
"""
