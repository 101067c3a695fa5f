-- custom_utm stays, unused: dropping it would rewrite the largest table for nothing.
SELECT 1;
