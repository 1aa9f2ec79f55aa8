-- Schema version 10: the queue of one county or city with another filter is answered from the index alone. Where the two have
-- nothing in common, all patches of the county are walked, and each of them was looked up in the table.
DROP INDEX review_queue_county;
DROP INDEX review_queue_city;
CREATE INDEX review_queue_county ON review_queue
    (waiting, county, priority DESC, fid, issue_class, severity, reach_id, city, sensor);
CREATE INDEX review_queue_city ON review_queue
    (waiting, city, priority DESC, fid, issue_class, severity, reach_id, county, sensor);
