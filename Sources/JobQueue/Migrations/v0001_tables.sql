-- The queue. A job's body is written once; its place is exactly one row in exactly one of ready, lease and outcome,
-- because every move is one statement that deletes here and inserts there.
--
-- Run by `sheetsync migrate` as the role sheetsync_owner, with search_path set to the queue's schema. Every function
-- that somebody may call takes that path with it (set search_path from current), so a caller's own path changes nothing.
-- Those that nobody may call but these find it set: to set it anew would cost more than what most of them do.
--
-- A table of the queue may look empty when it is analysed, and hold a hundred thousand dead rows that an open transaction
-- keeps, or soon as many jobs. To the planner each way to read an empty table costs the same. So it is denied those that
-- read all of it; single rows are sought by `= any (array)`, by `between x and x` or by comparing rows, since for equality
-- with another table's column it may read a whole index and filter; and where rows are wanted in an index's order, sorting
-- is denied. Where the planner is denied a kind of plan, it is denied compilation too: a plan for which it found no other
-- way has a price of ten thousand million, and would be compiled in each call, for a hundred times what it takes.

-- What a job may be, and the limits that enqueue itself enforces.
create table kind (
    name text primary key
);

create table setting (
    name  text primary key,
    value text not null
);
insert into setting values
    ('max_payload_bytes', '5242880'),
    -- Tells this queue's spreadsheets from those of another installation in the same Cloud project.
    ('installation', gen_random_uuid()::text),
    -- The oldest schema number that a binary must know to work with this schema.
    ('min_binary', '1');

create table job (
    id              bigint generated always as identity primary key,
    kind            text        not null,
    priority        smallint    not null,
    max_attempts    smallint    not null,
    owner           text        not null,
    target          text,                       -- what must not be written by two jobs at once
    idempotency_key text,
    payload_digest  bytea,                      -- of the payload that came with the key
    enqueued_by     name        not null,
    payload         jsonb,                      -- null once completed, unless payloads are kept
    scheduled_at    timestamptz not null,
    created_at      timestamptz not null default now()
);
create unique index job_key on job (enqueued_by, idempotency_key) where idempotency_key is not null;

-- Waiting. Only open rows (gate 0) are in the claim's index, so a million scheduled jobs cost a claim nothing, nor do
-- those of a kind that may not run at the moment.
create table ready (
    id           bigint primary key,
    kind         text        collate "C" not null, -- compared a hundred times in a claim
    priority     smallint    not null,
    gate         smallint    not null,          -- 0 open, 1 until its time, 2 behind its target
    attempt      smallint    not null,          -- attempts that have been made
    redelivered  boolean     not null,          -- some worker has had it before
    run_at       timestamptz not null,
    attempted_at timestamptz,
    line         bigint      not null,          -- of its owner's jobs of this kind and priority
    turn         bigint      not null default 0, -- when it may be claimed while it is open
    target       text,
    waits_for    jsonb                          -- {code, message} of what it was given back for
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index ready_open on ready (kind, priority, turn, id) where gate = 0;
create index ready_line on ready (line, turn) where gate = 0;
create index ready_timed on ready (run_at) where gate = 1;
-- Read by comparing (target, id), for which the planner cannot take the primary key and read other targets' jobs.
create index ready_target on ready (target, id) where gate = 0 and target is not null;
create index ready_held on ready (target, id) where gate = 2;

-- The turn of the job that was claimed last, for each kind and priority: sequences, as registers that are read without a
-- lock and moved without leaving a dead row behind.
--
-- A turn is the number of a round, times 2^28, and a place in it. Of an owner's open jobs each has the round after that of
-- the one before, the first of them the round after this, so that owners alternate; that is start-time fair queueing with
-- every job of the same size. Within a round a job's place is its number, modulo 2^28.
--
-- And a claim begins here, or a hundred places before, because transactions do not commit in the order of their jobs.
-- Below lie only the rows of jobs that have been claimed, perhaps a hundred thousand that cannot be removed while
-- somebody's transaction is open; so hardly two turns are the same, or each claim would pass all those of the last one.
create function add_kind(name text) returns void
language plpgsql set search_path from current
as $$
begin
    insert into kind values (add_kind.name);
    for priority in 0..9 loop
        execute format('create sequence %I minvalue 0 start 0', 'turn_' || add_kind.name || '_' || priority);
    end loop;
end
$$;
select add_kind(name) from unnest(array['export', 'folder', 'format', 'noop']) name;

-- Running. The number comes from a sequence and never comes again; the epoch is the worker's random identity.
create table lease (
    id          bigint primary key,
    lease_no    bigint      not null,
    epoch       bigint      not null,
    attempt     smallint    not null,
    redelivered boolean     not null,
    target      text,
    at          timestamptz not null default clock_timestamp()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create sequence lease_no;

-- The one job of a target that has begun: it runs, or waits for its next attempt. It keeps its place until it ends. Then
-- its row stays, as that of a free target, until the target's jobs are removed.
--
-- Each change takes a new number, so that a target's row lies above the dead ones that were before it, perhaps a hundred
-- thousand that cannot be removed while somebody's transaction is open. So look from above, as head_of does, and change
-- a row by the number that was seen: whoever finds it gone has lost to somebody else.
create table head (
    target text   not null,
    no     bigint not null,
    id     bigint,                              -- null where the target is free
    since  bigint not null,                     -- the lowest number of a job that may wait for the target
    primary key (target, no)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

create sequence head_no;

-- Ended.
create table outcome (
    id           bigint primary key,
    state        text        not null check (state in ('completed', 'discarded', 'cancelled')),
    attempt      smallint    not null,
    attempted_at timestamptz,
    -- The clock's, not the transaction's: what follows on its target begins later.
    finalized_at timestamptz not null default clock_timestamp(),
    result       jsonb,
    look_at      timestamptz                    -- when to look what it has made; null where nobody need ask
);
create index outcome_at on outcome (finalized_at);
create index outcome_discarded on outcome (finalized_at) where state = 'discarded';
create index outcome_unsettled on outcome (look_at) where look_at is not null;

-- Every failed attempt, append-only.
create table failure (
    id      bigint      not null,
    attempt smallint    not null,
    at      timestamptz not null default clock_timestamp(),
    error   jsonb       not null                -- {code, message, retryable}
);
create index failure_id on failure (id);
create index failure_at on failure (at);

-- How far a job is; survives from one attempt to the next.
create table progress (
    id         bigint primary key,
    step       text  not null,
    rows_done  bigint,
    rows_total bigint,
    checkpoint jsonb,                           -- what a later attempt needs to go on
    updated_at timestamptz not null default clock_timestamp()
);

-- As whom a spreadsheet was made, where an installation works as several; nobody else may see it.
create table maker (
    target   text primary key,
    identity text not null
);

create table cancel_request (
    id bigint primary key,
    at timestamptz not null default now(),
    by name        not null
);

-- What an operator has stopped. Jobs of such a kind are not claimed; those that run go on.
create table pause (
    kind  text primary key,                     -- empty for every kind
    since timestamptz not null default now(),
    by    name        not null
);

-- One row a process, beaten by the process itself.
create table worker (
    epoch       bigint primary key,
    name        text        not null,
    version     text        not null,
    concurrency int         not null,
    in_flight   int         not null default 0,
    last_error  text,
    kinds       text[],                         -- the kinds of jobs that it can do; null where it did not say
    started_at  timestamptz not null default clock_timestamp(),
    beat_at     timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- A register that is read without a lock: 1 while some worker sleeps, so that enqueue notifies only then.
create sequence wake minvalue 0 start 0;

-- Folders that were made or adopted in Drive. The id is written before the folder is made (made_at null until then).
create table folder (
    account    text        not null,            -- whose Drive
    parent     text        not null,            -- the parent's id, or root
    name       text        not null,
    id         text        not null,
    made_at    timestamptz,
    primary key (account, parent, name)
);

-- Who may see and steer a job: who enqueued it, and the installation's own people.
create function may_see_all() returns boolean
language sql stable set search_path from current
as $$
    select pg_has_role(session_user, 'sheetsync_operator', 'member')
        or pg_has_role(session_user, 'sheetsync_worker', 'member')
        or pg_has_role(session_user, 'sheetsync_owner', 'member')
$$;

create view jobs with (security_barrier) as
select job.id, job.kind,
       case when o.id is not null then o.state
            when l.id is not null then 'running'
            when r.gate = 1 and r.attempt > 0 then 'retryable'
            when r.gate = 1 and r.run_at > now() then 'scheduled'
            else 'available' end as state,
       job.priority, job.owner, job.idempotency_key,
       coalesce(o.attempt, l.attempt, r.attempt) as attempt, job.max_attempts,
       job.payload,
       coalesce(o.result, case when o.look_at is not null then
           '{"warnings": ["Whether the spreadsheet was made is not known yet: a worker looks for it."]}'::jsonb end) as result,
       coalesce((select jsonb_agg(jsonb_build_object('attempt', f.attempt, 'at', f.at) || f.error order by f.at)
                 from failure f where f.id = job.id), '[]') as errors,
       case when p.id is not null
            then jsonb_build_object('step', p.step, 'rows_done', p.rows_done, 'rows_total', p.rows_total) end as progress,
       job.created_at, coalesce(r.run_at, job.scheduled_at) as scheduled_at,
       coalesce(o.attempted_at, l.at, r.attempted_at) as attempted_at, o.finalized_at,
       r.waits_for
from job
left join ready r on r.id = job.id
left join lease l on l.id = job.id
left join outcome o on o.id = job.id
left join progress p on p.id = job.id
where job.enqueued_by = session_user or (select may_see_all());
