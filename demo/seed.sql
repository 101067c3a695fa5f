-- The project and the pixel of the demo site, for `make dev` and the browser tests.
INSERT INTO projects (id, name) VALUES ('ppp-demo-project', 'Demo')
ON CONFLICT DO NOTHING;

INSERT INTO pixels (id, project_id, name, website_url)
VALUES ('ppp-demo-pixel', 'ppp-demo-project', 'demo site', 'http://127.0.0.1:8788')
ON CONFLICT DO NOTHING;
