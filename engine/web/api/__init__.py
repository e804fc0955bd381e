"""The HTTP API, `/api/v1`: every entity of every app, by the same rules.

    GET    /{app}/{entity}            a page of records: filter, sort, fields, expand, search, view, limit, cursor
    POST   /{app}/{entity}            a new record
    GET    /{app}/{entity}/{id}       one record, with an ETag
    PATCH  /{app}/{entity}/{id}       change it, with If-Match
    DELETE /{app}/{entity}/{id}       to the trash, with If-Match
    …      /{app}/{entity}/{id}/…     restore, transitions, history, stages, files, merge, convert, explain, checklist
    …      /{app}/{entity}/…          aggregate, bulk, import, export, duplicates, choices
    …      /session, /me, /tokens     who one is

What an app's API can do stands in its OpenAPI document, `/api/v1/{app}/openapi.json`, made from the same definition.
"""
