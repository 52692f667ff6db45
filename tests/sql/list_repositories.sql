-- list_repositories: a repository is where a manifest is. One index seek for each name shown, however many manifests.

-- name: list(after, count)
WITH RECURSIVE page (repository) AS (
    (SELECT repository FROM manifest WHERE repository > $1::bytea ORDER BY repository LIMIT 1)
    UNION ALL
    SELECT (SELECT manifest.repository FROM manifest WHERE manifest.repository > page.repository
            ORDER BY manifest.repository LIMIT 1)
    FROM page WHERE page.repository IS NOT NULL
)
SELECT repository FROM page WHERE repository IS NOT NULL LIMIT $2::bigint;
