-- What `sheetsync trial` saw of Google: whether it does what the documents say. The workers read it when they start.
create table trial_finding (
    name    text        collate "C" primary key, -- the probe
    outcome text        not null check (outcome in ('holds', 'differs', 'not_tried')),
    seen    text        not null,               -- in words, without names, ids and tokens
    advice  text,                               -- what to do; only where it differs
    at      timestamptz not null default now()
);

create view report_trial as
select name, outcome, seen, advice, to_char(at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') as at
from trial_finding order by trial_finding.name;

grant select, insert, update, delete on trial_finding to sheetsync_worker;
grant select on report_trial to sheetsync_worker, sheetsync_operator;
grant select on trial_finding to sheetsync_operator;
