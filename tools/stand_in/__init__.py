"""A stand-in for Cloudflare's control plane, for rehearsals of deployments. It is not Cloudflare.

The real wrangler talks to it (CLOUDFLARE_API_BASE_URL). What was uploaded really runs, in workerd
on real local D1, R2, KV and Durable Objects. Versions, deployments, secrets, triggers and refusals
are written after wrangler's own code and Cloudflare's documentation; error codes that could not be
checked are marked so where they stand. Begin with cloud.py; server.py is the HTTP in front of it.
"""
