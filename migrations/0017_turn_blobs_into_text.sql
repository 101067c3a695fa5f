-- The old Worker bound what a page sent as it was, and D1 stores an array of numbers, the empty one
-- of a script in PHP too, as bytes in a column of text. JSON cannot hold bytes, so that the next
-- migrations, backups and exports would fail. What is plain ASCII becomes text, the rest NULL.
-- The first statement of each two drops what is no text, the second one casts. Only rows with bytes
-- are written. Bytes compare as greater than every text. No request could set an id of a row,
-- and a foreign key takes no bytes.
--
-- This file is younger than those behind it, and may run after them.

UPDATE projects SET
  webhook_url = nullif(iif(webhook_url > X'' AND CAST(webhook_url AS TEXT) GLOB '*[^ -~]*', NULL, webhook_url), X''),
  configuration = nullif(iif(configuration > X'' AND CAST(configuration AS TEXT) GLOB '*[^ -~]*', NULL, configuration), X''),
  created_at = nullif(iif(created_at > X'' AND CAST(created_at AS TEXT) GLOB '*[^ -~]*', NULL, created_at), X''),
  updated_at = nullif(iif(updated_at > X'' AND CAST(updated_at AS TEXT) GLOB '*[^ -~]*', NULL, updated_at), X''),
  name = iif(
    name >= X'' AND (name = X'' OR CAST(name AS TEXT) GLOB '*[^ -~]*'),
    'unreadable name ' || id, name
  )
WHERE webhook_url >= X'' OR configuration >= X'' OR created_at >= X'' OR updated_at >= X''
  OR name >= X'';
UPDATE projects SET
  webhook_url = CAST(webhook_url AS TEXT), configuration = CAST(configuration AS TEXT),
  created_at = CAST(created_at AS TEXT), updated_at = CAST(updated_at AS TEXT),
  name = CAST(name AS TEXT)
WHERE webhook_url >= X'' OR configuration >= X'' OR created_at >= X'' OR updated_at >= X''
  OR name >= X'';

UPDATE pixels SET
  website_url = nullif(iif(website_url > X'' AND CAST(website_url AS TEXT) GLOB '*[^ -~]*', NULL, website_url), X''),
  configuration = nullif(iif(configuration > X'' AND CAST(configuration AS TEXT) GLOB '*[^ -~]*', NULL, configuration), X''),
  created_at = nullif(iif(created_at > X'' AND CAST(created_at AS TEXT) GLOB '*[^ -~]*', NULL, created_at), X''),
  updated_at = nullif(iif(updated_at > X'' AND CAST(updated_at AS TEXT) GLOB '*[^ -~]*', NULL, updated_at), X''),
  name = iif(
    name >= X'' AND (name = X'' OR CAST(name AS TEXT) GLOB '*[^ -~]*'),
    'unreadable name ' || id, name
  )
WHERE website_url >= X'' OR configuration >= X'' OR created_at >= X'' OR updated_at >= X''
  OR name >= X'';
UPDATE pixels SET
  website_url = CAST(website_url AS TEXT), configuration = CAST(configuration AS TEXT),
  created_at = CAST(created_at AS TEXT), updated_at = CAST(updated_at AS TEXT),
  name = CAST(name AS TEXT)
WHERE website_url >= X'' OR configuration >= X'' OR created_at >= X'' OR updated_at >= X''
  OR name >= X'';

UPDATE visitors SET
  first_seen = nullif(iif(first_seen > X'' AND CAST(first_seen AS TEXT) GLOB '*[^ -~]*', NULL, first_seen), X''),
  last_seen = nullif(iif(last_seen > X'' AND CAST(last_seen AS TEXT) GLOB '*[^ -~]*', NULL, last_seen), X''),
  user_agent = nullif(iif(user_agent > X'' AND CAST(user_agent AS TEXT) GLOB '*[^ -~]*', NULL, user_agent), X''),
  ip_address = nullif(iif(ip_address > X'' AND CAST(ip_address AS TEXT) GLOB '*[^ -~]*', NULL, ip_address), X'')
WHERE first_seen >= X'' OR last_seen >= X'' OR user_agent >= X'' OR ip_address >= X'';
UPDATE visitors SET
  first_seen = CAST(first_seen AS TEXT), last_seen = CAST(last_seen AS TEXT),
  user_agent = CAST(user_agent AS TEXT), ip_address = CAST(ip_address AS TEXT)
WHERE first_seen >= X'' OR last_seen >= X'' OR user_agent >= X'' OR ip_address >= X'';

UPDATE sessions SET
  pixel_id = nullif(iif(pixel_id > X'' AND CAST(pixel_id AS TEXT) GLOB '*[^ -~]*', NULL, pixel_id), X''),
  started_at = nullif(iif(started_at > X'' AND CAST(started_at AS TEXT) GLOB '*[^ -~]*', NULL, started_at), X''),
  last_activity = nullif(iif(last_activity > X'' AND CAST(last_activity AS TEXT) GLOB '*[^ -~]*', NULL, last_activity), X''),
  utm_source = nullif(iif(utm_source > X'' AND CAST(utm_source AS TEXT) GLOB '*[^ -~]*', NULL, utm_source), X''),
  utm_medium = nullif(iif(utm_medium > X'' AND CAST(utm_medium AS TEXT) GLOB '*[^ -~]*', NULL, utm_medium), X''),
  utm_campaign = nullif(iif(utm_campaign > X'' AND CAST(utm_campaign AS TEXT) GLOB '*[^ -~]*', NULL, utm_campaign), X''),
  utm_content = nullif(iif(utm_content > X'' AND CAST(utm_content AS TEXT) GLOB '*[^ -~]*', NULL, utm_content), X''),
  utm_term = nullif(iif(utm_term > X'' AND CAST(utm_term AS TEXT) GLOB '*[^ -~]*', NULL, utm_term), X''),
  campaign_region = nullif(iif(campaign_region > X'' AND CAST(campaign_region AS TEXT) GLOB '*[^ -~]*', NULL, campaign_region), X''),
  ad_group = nullif(iif(ad_group > X'' AND CAST(ad_group AS TEXT) GLOB '*[^ -~]*', NULL, ad_group), X''),
  ad_id = nullif(iif(ad_id > X'' AND CAST(ad_id AS TEXT) GLOB '*[^ -~]*', NULL, ad_id), X''),
  search_query = nullif(iif(search_query > X'' AND CAST(search_query AS TEXT) GLOB '*[^ -~]*', NULL, search_query), X'')
WHERE pixel_id >= X'' OR started_at >= X'' OR last_activity >= X'' OR utm_source >= X''
  OR utm_medium >= X'' OR utm_campaign >= X'' OR utm_content >= X'' OR utm_term >= X''
  OR campaign_region >= X'' OR ad_group >= X'' OR ad_id >= X'' OR search_query >= X'';
UPDATE sessions SET
  pixel_id = CAST(pixel_id AS TEXT), started_at = CAST(started_at AS TEXT),
  last_activity = CAST(last_activity AS TEXT), utm_source = CAST(utm_source AS TEXT),
  utm_medium = CAST(utm_medium AS TEXT), utm_campaign = CAST(utm_campaign AS TEXT),
  utm_content = CAST(utm_content AS TEXT), utm_term = CAST(utm_term AS TEXT),
  campaign_region = CAST(campaign_region AS TEXT), ad_group = CAST(ad_group AS TEXT),
  ad_id = CAST(ad_id AS TEXT), search_query = CAST(search_query AS TEXT)
WHERE pixel_id >= X'' OR started_at >= X'' OR last_activity >= X'' OR utm_source >= X''
  OR utm_medium >= X'' OR utm_campaign >= X'' OR utm_content >= X'' OR utm_term >= X''
  OR campaign_region >= X'' OR ad_group >= X'' OR ad_id >= X'' OR search_query >= X'';

UPDATE tracking_events SET
  project_id = nullif(iif(project_id > X'' AND CAST(project_id AS TEXT) GLOB '*[^ -~]*', NULL, project_id), X''),
  visitor_id = nullif(iif(visitor_id > X'' AND CAST(visitor_id AS TEXT) GLOB '*[^ -~]*', NULL, visitor_id), X''),
  session_id = nullif(iif(session_id > X'' AND CAST(session_id AS TEXT) GLOB '*[^ -~]*', NULL, session_id), X''),
  event_type = nullif(iif(event_type > X'' AND CAST(event_type AS TEXT) GLOB '*[^ -~]*', NULL, event_type), X''),
  utm_source = nullif(iif(utm_source > X'' AND CAST(utm_source AS TEXT) GLOB '*[^ -~]*', NULL, utm_source), X''),
  utm_medium = nullif(iif(utm_medium > X'' AND CAST(utm_medium AS TEXT) GLOB '*[^ -~]*', NULL, utm_medium), X''),
  utm_campaign = nullif(iif(utm_campaign > X'' AND CAST(utm_campaign AS TEXT) GLOB '*[^ -~]*', NULL, utm_campaign), X''),
  utm_content = nullif(iif(utm_content > X'' AND CAST(utm_content AS TEXT) GLOB '*[^ -~]*', NULL, utm_content), X''),
  utm_term = nullif(iif(utm_term > X'' AND CAST(utm_term AS TEXT) GLOB '*[^ -~]*', NULL, utm_term), X''),
  custom_utm = nullif(iif(custom_utm > X'' AND CAST(custom_utm AS TEXT) GLOB '*[^ -~]*', NULL, custom_utm), X''),
  page_url = nullif(iif(page_url > X'' AND CAST(page_url AS TEXT) GLOB '*[^ -~]*', NULL, page_url), X''),
  referrer_url = nullif(iif(referrer_url > X'' AND CAST(referrer_url AS TEXT) GLOB '*[^ -~]*', NULL, referrer_url), X''),
  page_title = nullif(iif(page_title > X'' AND CAST(page_title AS TEXT) GLOB '*[^ -~]*', NULL, page_title), X''),
  user_agent = nullif(iif(user_agent > X'' AND CAST(user_agent AS TEXT) GLOB '*[^ -~]*', NULL, user_agent), X''),
  ip_address = nullif(iif(ip_address > X'' AND CAST(ip_address AS TEXT) GLOB '*[^ -~]*', NULL, ip_address), X''),
  country = nullif(iif(country > X'' AND CAST(country AS TEXT) GLOB '*[^ -~]*', NULL, country), X''),
  region = nullif(iif(region > X'' AND CAST(region AS TEXT) GLOB '*[^ -~]*', NULL, region), X''),
  city = nullif(iif(city > X'' AND CAST(city AS TEXT) GLOB '*[^ -~]*', NULL, city), X''),
  browser_data = nullif(iif(browser_data > X'' AND CAST(browser_data AS TEXT) GLOB '*[^ -~]*', NULL, browser_data), X''),
  device_data = nullif(iif(device_data > X'' AND CAST(device_data AS TEXT) GLOB '*[^ -~]*', NULL, device_data), X''),
  viewport_data = nullif(iif(viewport_data > X'' AND CAST(viewport_data AS TEXT) GLOB '*[^ -~]*', NULL, viewport_data), X''),
  timestamp = nullif(iif(timestamp > X'' AND CAST(timestamp AS TEXT) GLOB '*[^ -~]*', NULL, timestamp), X''),
  created_at = nullif(iif(created_at > X'' AND CAST(created_at AS TEXT) GLOB '*[^ -~]*', NULL, created_at), X''),
  zapier_sent_at = nullif(iif(zapier_sent_at > X'' AND CAST(zapier_sent_at AS TEXT) GLOB '*[^ -~]*', NULL, zapier_sent_at), X''),
  form_data = nullif(iif(form_data > X'' AND CAST(form_data AS TEXT) GLOB '*[^ -~]*', NULL, form_data), X''),
  campaign_region = nullif(iif(campaign_region > X'' AND CAST(campaign_region AS TEXT) GLOB '*[^ -~]*', NULL, campaign_region), X''),
  ad_group = nullif(iif(ad_group > X'' AND CAST(ad_group AS TEXT) GLOB '*[^ -~]*', NULL, ad_group), X''),
  ad_id = nullif(iif(ad_id > X'' AND CAST(ad_id AS TEXT) GLOB '*[^ -~]*', NULL, ad_id), X''),
  search_query = nullif(iif(search_query > X'' AND CAST(search_query AS TEXT) GLOB '*[^ -~]*', NULL, search_query), X''),
  gclid = nullif(iif(gclid > X'' AND CAST(gclid AS TEXT) GLOB '*[^ -~]*', NULL, gclid), X''),
  fbclid = nullif(iif(fbclid > X'' AND CAST(fbclid AS TEXT) GLOB '*[^ -~]*', NULL, fbclid), X''),
  msclkid = nullif(iif(msclkid > X'' AND CAST(msclkid AS TEXT) GLOB '*[^ -~]*', NULL, msclkid), X''),
  ttclid = nullif(iif(ttclid > X'' AND CAST(ttclid AS TEXT) GLOB '*[^ -~]*', NULL, ttclid), X''),
  twclid = nullif(iif(twclid > X'' AND CAST(twclid AS TEXT) GLOB '*[^ -~]*', NULL, twclid), X''),
  li_fat_id = nullif(iif(li_fat_id > X'' AND CAST(li_fat_id AS TEXT) GLOB '*[^ -~]*', NULL, li_fat_id), X''),
  sc_click_id = nullif(iif(sc_click_id > X'' AND CAST(sc_click_id AS TEXT) GLOB '*[^ -~]*', NULL, sc_click_id), X''),
  pipedrive_sync_status = nullif(iif(pipedrive_sync_status > X'' AND CAST(pipedrive_sync_status AS TEXT) GLOB '*[^ -~]*', NULL, pipedrive_sync_status), X''),
  pipedrive_sync_at = nullif(iif(pipedrive_sync_at > X'' AND CAST(pipedrive_sync_at AS TEXT) GLOB '*[^ -~]*', NULL, pipedrive_sync_at), X''),
  pipedrive_person_id = nullif(iif(pipedrive_person_id > X'' AND CAST(pipedrive_person_id AS TEXT) GLOB '*[^ -~]*', NULL, pipedrive_person_id), X''),
  pipedrive_last_retry_at = nullif(iif(pipedrive_last_retry_at > X'' AND CAST(pipedrive_last_retry_at AS TEXT) GLOB '*[^ -~]*', NULL, pipedrive_last_retry_at), X'')
WHERE project_id >= X'' OR visitor_id >= X'' OR session_id >= X'' OR event_type >= X''
  OR utm_source >= X'' OR utm_medium >= X'' OR utm_campaign >= X'' OR utm_content >= X''
  OR utm_term >= X'' OR custom_utm >= X'' OR page_url >= X'' OR referrer_url >= X''
  OR page_title >= X'' OR user_agent >= X'' OR ip_address >= X'' OR country >= X''
  OR region >= X'' OR city >= X'' OR browser_data >= X'' OR device_data >= X''
  OR viewport_data >= X'' OR timestamp >= X'' OR created_at >= X'' OR zapier_sent_at >= X''
  OR form_data >= X'' OR campaign_region >= X'' OR ad_group >= X'' OR ad_id >= X''
  OR search_query >= X'' OR gclid >= X'' OR fbclid >= X'' OR msclkid >= X'' OR ttclid >= X''
  OR twclid >= X'' OR li_fat_id >= X'' OR sc_click_id >= X'' OR pipedrive_sync_status >= X''
  OR pipedrive_sync_at >= X'' OR pipedrive_person_id >= X'' OR pipedrive_last_retry_at >= X'';
UPDATE tracking_events SET
  project_id = CAST(project_id AS TEXT), visitor_id = CAST(visitor_id AS TEXT),
  session_id = CAST(session_id AS TEXT), event_type = CAST(event_type AS TEXT),
  utm_source = CAST(utm_source AS TEXT), utm_medium = CAST(utm_medium AS TEXT),
  utm_campaign = CAST(utm_campaign AS TEXT), utm_content = CAST(utm_content AS TEXT),
  utm_term = CAST(utm_term AS TEXT), custom_utm = CAST(custom_utm AS TEXT),
  page_url = CAST(page_url AS TEXT), referrer_url = CAST(referrer_url AS TEXT),
  page_title = CAST(page_title AS TEXT), user_agent = CAST(user_agent AS TEXT),
  ip_address = CAST(ip_address AS TEXT), country = CAST(country AS TEXT),
  region = CAST(region AS TEXT), city = CAST(city AS TEXT),
  browser_data = CAST(browser_data AS TEXT), device_data = CAST(device_data AS TEXT),
  viewport_data = CAST(viewport_data AS TEXT), timestamp = CAST(timestamp AS TEXT),
  created_at = CAST(created_at AS TEXT), zapier_sent_at = CAST(zapier_sent_at AS TEXT),
  form_data = CAST(form_data AS TEXT), campaign_region = CAST(campaign_region AS TEXT),
  ad_group = CAST(ad_group AS TEXT), ad_id = CAST(ad_id AS TEXT),
  search_query = CAST(search_query AS TEXT), gclid = CAST(gclid AS TEXT),
  fbclid = CAST(fbclid AS TEXT), msclkid = CAST(msclkid AS TEXT), ttclid = CAST(ttclid AS TEXT),
  twclid = CAST(twclid AS TEXT), li_fat_id = CAST(li_fat_id AS TEXT),
  sc_click_id = CAST(sc_click_id AS TEXT),
  pipedrive_sync_status = CAST(pipedrive_sync_status AS TEXT),
  pipedrive_sync_at = CAST(pipedrive_sync_at AS TEXT),
  pipedrive_person_id = CAST(pipedrive_person_id AS TEXT),
  pipedrive_last_retry_at = CAST(pipedrive_last_retry_at AS TEXT)
WHERE project_id >= X'' OR visitor_id >= X'' OR session_id >= X'' OR event_type >= X''
  OR utm_source >= X'' OR utm_medium >= X'' OR utm_campaign >= X'' OR utm_content >= X''
  OR utm_term >= X'' OR custom_utm >= X'' OR page_url >= X'' OR referrer_url >= X''
  OR page_title >= X'' OR user_agent >= X'' OR ip_address >= X'' OR country >= X''
  OR region >= X'' OR city >= X'' OR browser_data >= X'' OR device_data >= X''
  OR viewport_data >= X'' OR timestamp >= X'' OR created_at >= X'' OR zapier_sent_at >= X''
  OR form_data >= X'' OR campaign_region >= X'' OR ad_group >= X'' OR ad_id >= X''
  OR search_query >= X'' OR gclid >= X'' OR fbclid >= X'' OR msclkid >= X'' OR ttclid >= X''
  OR twclid >= X'' OR li_fat_id >= X'' OR sc_click_id >= X'' OR pipedrive_sync_status >= X''
  OR pipedrive_sync_at >= X'' OR pipedrive_person_id >= X'' OR pipedrive_last_retry_at >= X'';

UPDATE system_logs SET
  timestamp = nullif(iif(timestamp > X'' AND CAST(timestamp AS TEXT) GLOB '*[^ -~]*', NULL, timestamp), X''),
  context = nullif(iif(context > X'' AND CAST(context AS TEXT) GLOB '*[^ -~]*', NULL, context), X''),
  event_id = nullif(iif(event_id > X'' AND CAST(event_id AS TEXT) GLOB '*[^ -~]*', NULL, event_id), X''),
  visitor_id = nullif(iif(visitor_id > X'' AND CAST(visitor_id AS TEXT) GLOB '*[^ -~]*', NULL, visitor_id), X''),
  pixel_id = nullif(iif(pixel_id > X'' AND CAST(pixel_id AS TEXT) GLOB '*[^ -~]*', NULL, pixel_id), X''),
  error_code = nullif(iif(error_code > X'' AND CAST(error_code AS TEXT) GLOB '*[^ -~]*', NULL, error_code), X''),
  ip_address = nullif(iif(ip_address > X'' AND CAST(ip_address AS TEXT) GLOB '*[^ -~]*', NULL, ip_address), X''),
  user_agent = nullif(iif(user_agent > X'' AND CAST(user_agent AS TEXT) GLOB '*[^ -~]*', NULL, user_agent), X'')
WHERE timestamp >= X'' OR context >= X'' OR event_id >= X'' OR visitor_id >= X''
  OR pixel_id >= X'' OR error_code >= X'' OR ip_address >= X'' OR user_agent >= X'';
UPDATE system_logs SET
  timestamp = CAST(timestamp AS TEXT), context = CAST(context AS TEXT),
  event_id = CAST(event_id AS TEXT), visitor_id = CAST(visitor_id AS TEXT),
  pixel_id = CAST(pixel_id AS TEXT), error_code = CAST(error_code AS TEXT),
  ip_address = CAST(ip_address AS TEXT), user_agent = CAST(user_agent AS TEXT)
WHERE timestamp >= X'' OR context >= X'' OR event_id >= X'' OR visitor_id >= X''
  OR pixel_id >= X'' OR error_code >= X'' OR ip_address >= X'' OR user_agent >= X'';

-- The old Worker goes on writing until the switch, and after a rollback. Rows of this product have
-- no bytes there, so that these cost it nothing.
CREATE TRIGGER projects_written_as_text AFTER INSERT ON projects WHEN NEW.name >= X'' BEGIN UPDATE projects SET name = iif(name < X'', name, iif(name = X'' OR CAST(name AS TEXT) GLOB '*[^ -~]*', 'unreadable name ' || id, CAST(name AS TEXT))) WHERE id = NEW.id; END;
CREATE TRIGGER projects_changed_as_text AFTER UPDATE OF name ON projects WHEN NEW.name >= X'' BEGIN UPDATE projects SET name = iif(name < X'', name, iif(name = X'' OR CAST(name AS TEXT) GLOB '*[^ -~]*', 'unreadable name ' || id, CAST(name AS TEXT))) WHERE id = NEW.id; END;
CREATE TRIGGER pixels_written_as_text AFTER INSERT ON pixels WHEN NEW.name >= X'' OR NEW.website_url >= X'' BEGIN UPDATE pixels SET name = iif(name < X'', name, iif(name = X'' OR CAST(name AS TEXT) GLOB '*[^ -~]*', 'unreadable name ' || id, CAST(name AS TEXT))), website_url = iif(website_url < X'', website_url, iif(website_url = X'' OR CAST(website_url AS TEXT) GLOB '*[^ -~]*', NULL, CAST(website_url AS TEXT))) WHERE id = NEW.id; END;
CREATE TRIGGER pixels_changed_as_text AFTER UPDATE OF name, website_url ON pixels WHEN NEW.name >= X'' OR NEW.website_url >= X'' BEGIN UPDATE pixels SET name = iif(name < X'', name, iif(name = X'' OR CAST(name AS TEXT) GLOB '*[^ -~]*', 'unreadable name ' || id, CAST(name AS TEXT))), website_url = iif(website_url < X'', website_url, iif(website_url = X'' OR CAST(website_url AS TEXT) GLOB '*[^ -~]*', NULL, CAST(website_url AS TEXT))) WHERE id = NEW.id; END;
CREATE TRIGGER visitors_written_as_text AFTER INSERT ON visitors WHEN NEW.user_agent >= X'' BEGIN UPDATE visitors SET user_agent = iif(user_agent < X'', user_agent, iif(user_agent = X'' OR CAST(user_agent AS TEXT) GLOB '*[^ -~]*', NULL, CAST(user_agent AS TEXT))) WHERE id = NEW.id; END;
CREATE TRIGGER sessions_written_as_text AFTER INSERT ON sessions WHEN NEW.utm_source >= X'' OR NEW.utm_medium >= X'' OR NEW.utm_campaign >= X'' OR NEW.utm_content >= X'' OR NEW.utm_term >= X'' OR NEW.campaign_region >= X'' OR NEW.ad_group >= X'' OR NEW.ad_id >= X'' OR NEW.search_query >= X'' BEGIN UPDATE sessions SET utm_source = iif(utm_source < X'', utm_source, iif(utm_source = X'' OR CAST(utm_source AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_source AS TEXT))), utm_medium = iif(utm_medium < X'', utm_medium, iif(utm_medium = X'' OR CAST(utm_medium AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_medium AS TEXT))), utm_campaign = iif(utm_campaign < X'', utm_campaign, iif(utm_campaign = X'' OR CAST(utm_campaign AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_campaign AS TEXT))), utm_content = iif(utm_content < X'', utm_content, iif(utm_content = X'' OR CAST(utm_content AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_content AS TEXT))), utm_term = iif(utm_term < X'', utm_term, iif(utm_term = X'' OR CAST(utm_term AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_term AS TEXT))), campaign_region = iif(campaign_region < X'', campaign_region, iif(campaign_region = X'' OR CAST(campaign_region AS TEXT) GLOB '*[^ -~]*', NULL, CAST(campaign_region AS TEXT))), ad_group = iif(ad_group < X'', ad_group, iif(ad_group = X'' OR CAST(ad_group AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ad_group AS TEXT))), ad_id = iif(ad_id < X'', ad_id, iif(ad_id = X'' OR CAST(ad_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ad_id AS TEXT))), search_query = iif(search_query < X'', search_query, iif(search_query = X'' OR CAST(search_query AS TEXT) GLOB '*[^ -~]*', NULL, CAST(search_query AS TEXT))) WHERE id = NEW.id; END;
CREATE TRIGGER sessions_changed_as_text AFTER UPDATE OF utm_source, utm_medium, utm_campaign, utm_content, utm_term, campaign_region, ad_group, ad_id, search_query ON sessions WHEN NEW.utm_source >= X'' OR NEW.utm_medium >= X'' OR NEW.utm_campaign >= X'' OR NEW.utm_content >= X'' OR NEW.utm_term >= X'' OR NEW.campaign_region >= X'' OR NEW.ad_group >= X'' OR NEW.ad_id >= X'' OR NEW.search_query >= X'' BEGIN UPDATE sessions SET utm_source = iif(utm_source < X'', utm_source, iif(utm_source = X'' OR CAST(utm_source AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_source AS TEXT))), utm_medium = iif(utm_medium < X'', utm_medium, iif(utm_medium = X'' OR CAST(utm_medium AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_medium AS TEXT))), utm_campaign = iif(utm_campaign < X'', utm_campaign, iif(utm_campaign = X'' OR CAST(utm_campaign AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_campaign AS TEXT))), utm_content = iif(utm_content < X'', utm_content, iif(utm_content = X'' OR CAST(utm_content AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_content AS TEXT))), utm_term = iif(utm_term < X'', utm_term, iif(utm_term = X'' OR CAST(utm_term AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_term AS TEXT))), campaign_region = iif(campaign_region < X'', campaign_region, iif(campaign_region = X'' OR CAST(campaign_region AS TEXT) GLOB '*[^ -~]*', NULL, CAST(campaign_region AS TEXT))), ad_group = iif(ad_group < X'', ad_group, iif(ad_group = X'' OR CAST(ad_group AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ad_group AS TEXT))), ad_id = iif(ad_id < X'', ad_id, iif(ad_id = X'' OR CAST(ad_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ad_id AS TEXT))), search_query = iif(search_query < X'', search_query, iif(search_query = X'' OR CAST(search_query AS TEXT) GLOB '*[^ -~]*', NULL, CAST(search_query AS TEXT))) WHERE id = NEW.id; END;
CREATE TRIGGER tracking_events_written_as_text AFTER INSERT ON tracking_events WHEN NEW.project_id >= X'' OR NEW.event_type >= X'' OR NEW.utm_source >= X'' OR NEW.utm_medium >= X'' OR NEW.utm_campaign >= X'' OR NEW.utm_content >= X'' OR NEW.utm_term >= X'' OR NEW.page_url >= X'' OR NEW.referrer_url >= X'' OR NEW.page_title >= X'' OR NEW.user_agent >= X'' OR NEW.ip_address >= X'' OR NEW.form_data >= X'' OR NEW.campaign_region >= X'' OR NEW.ad_group >= X'' OR NEW.ad_id >= X'' OR NEW.search_query >= X'' OR NEW.gclid >= X'' OR NEW.fbclid >= X'' OR NEW.msclkid >= X'' OR NEW.ttclid >= X'' OR NEW.twclid >= X'' OR NEW.li_fat_id >= X'' OR NEW.sc_click_id >= X'' BEGIN UPDATE tracking_events SET project_id = iif(project_id < X'', project_id, iif(project_id = X'' OR CAST(project_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(project_id AS TEXT))), event_type = iif(event_type < X'', event_type, iif(event_type = X'' OR CAST(event_type AS TEXT) GLOB '*[^ -~]*', NULL, CAST(event_type AS TEXT))), utm_source = iif(utm_source < X'', utm_source, iif(utm_source = X'' OR CAST(utm_source AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_source AS TEXT))), utm_medium = iif(utm_medium < X'', utm_medium, iif(utm_medium = X'' OR CAST(utm_medium AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_medium AS TEXT))), utm_campaign = iif(utm_campaign < X'', utm_campaign, iif(utm_campaign = X'' OR CAST(utm_campaign AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_campaign AS TEXT))), utm_content = iif(utm_content < X'', utm_content, iif(utm_content = X'' OR CAST(utm_content AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_content AS TEXT))), utm_term = iif(utm_term < X'', utm_term, iif(utm_term = X'' OR CAST(utm_term AS TEXT) GLOB '*[^ -~]*', NULL, CAST(utm_term AS TEXT))), page_url = iif(page_url < X'', page_url, iif(page_url = X'' OR CAST(page_url AS TEXT) GLOB '*[^ -~]*', NULL, CAST(page_url AS TEXT))), referrer_url = iif(referrer_url < X'', referrer_url, iif(referrer_url = X'' OR CAST(referrer_url AS TEXT) GLOB '*[^ -~]*', NULL, CAST(referrer_url AS TEXT))), page_title = iif(page_title < X'', page_title, iif(page_title = X'' OR CAST(page_title AS TEXT) GLOB '*[^ -~]*', NULL, CAST(page_title AS TEXT))), user_agent = iif(user_agent < X'', user_agent, iif(user_agent = X'' OR CAST(user_agent AS TEXT) GLOB '*[^ -~]*', NULL, CAST(user_agent AS TEXT))), ip_address = iif(ip_address < X'', ip_address, iif(ip_address = X'' OR CAST(ip_address AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ip_address AS TEXT))), form_data = iif(form_data < X'', form_data, iif(form_data = X'' OR CAST(form_data AS TEXT) GLOB '*[^ -~]*', NULL, CAST(form_data AS TEXT))), campaign_region = iif(campaign_region < X'', campaign_region, iif(campaign_region = X'' OR CAST(campaign_region AS TEXT) GLOB '*[^ -~]*', NULL, CAST(campaign_region AS TEXT))), ad_group = iif(ad_group < X'', ad_group, iif(ad_group = X'' OR CAST(ad_group AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ad_group AS TEXT))), ad_id = iif(ad_id < X'', ad_id, iif(ad_id = X'' OR CAST(ad_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ad_id AS TEXT))), search_query = iif(search_query < X'', search_query, iif(search_query = X'' OR CAST(search_query AS TEXT) GLOB '*[^ -~]*', NULL, CAST(search_query AS TEXT))), gclid = iif(gclid < X'', gclid, iif(gclid = X'' OR CAST(gclid AS TEXT) GLOB '*[^ -~]*', NULL, CAST(gclid AS TEXT))), fbclid = iif(fbclid < X'', fbclid, iif(fbclid = X'' OR CAST(fbclid AS TEXT) GLOB '*[^ -~]*', NULL, CAST(fbclid AS TEXT))), msclkid = iif(msclkid < X'', msclkid, iif(msclkid = X'' OR CAST(msclkid AS TEXT) GLOB '*[^ -~]*', NULL, CAST(msclkid AS TEXT))), ttclid = iif(ttclid < X'', ttclid, iif(ttclid = X'' OR CAST(ttclid AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ttclid AS TEXT))), twclid = iif(twclid < X'', twclid, iif(twclid = X'' OR CAST(twclid AS TEXT) GLOB '*[^ -~]*', NULL, CAST(twclid AS TEXT))), li_fat_id = iif(li_fat_id < X'', li_fat_id, iif(li_fat_id = X'' OR CAST(li_fat_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(li_fat_id AS TEXT))), sc_click_id = iif(sc_click_id < X'', sc_click_id, iif(sc_click_id = X'' OR CAST(sc_click_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(sc_click_id AS TEXT))) WHERE id = NEW.id; END;
CREATE TRIGGER system_logs_written_as_text AFTER INSERT ON system_logs WHEN NEW.event_id >= X'' OR NEW.visitor_id >= X'' OR NEW.pixel_id >= X'' OR NEW.error_code >= X'' OR NEW.ip_address >= X'' OR NEW.user_agent >= X'' BEGIN UPDATE system_logs SET event_id = iif(event_id < X'', event_id, iif(event_id = X'' OR CAST(event_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(event_id AS TEXT))), visitor_id = iif(visitor_id < X'', visitor_id, iif(visitor_id = X'' OR CAST(visitor_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(visitor_id AS TEXT))), pixel_id = iif(pixel_id < X'', pixel_id, iif(pixel_id = X'' OR CAST(pixel_id AS TEXT) GLOB '*[^ -~]*', NULL, CAST(pixel_id AS TEXT))), error_code = iif(error_code < X'', error_code, iif(error_code = X'' OR CAST(error_code AS TEXT) GLOB '*[^ -~]*', NULL, CAST(error_code AS TEXT))), ip_address = iif(ip_address < X'', ip_address, iif(ip_address = X'' OR CAST(ip_address AS TEXT) GLOB '*[^ -~]*', NULL, CAST(ip_address AS TEXT))), user_agent = iif(user_agent < X'', user_agent, iif(user_agent = X'' OR CAST(user_agent AS TEXT) GLOB '*[^ -~]*', NULL, CAST(user_agent AS TEXT))) WHERE id = NEW.id; END;
