-- The queue. A job's body is written once; its place is exactly one row in exactly one of ready, lease and outcome,
-- because every move is one statement that deletes here and inserts there.
--
-- Run by `sheetsync migrate` as the role sheetsync_owner, with search_path set to the queue's schema. Every function
-- that somebody may call takes that path with it (set search_path from current), so a caller's own path changes nothing.
-- Those that nobody may call but these find it set: to set it anew would cost more than what most of them do.
-- Where the planner is denied a kind of plan, it is denied compilation too: a plan for which it found no other way has a
-- price of ten thousand million, and would be compiled in each call, for a hundred times what it takes.

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
-- somebody's transaction is open; so no two turns are the same, or each claim would pass all those of the last one.
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
    finalized_at timestamptz not null default clock_timestamp(), -- the clock, not the transaction: what follows on its target begins later
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

-- How far the turns of a kind and priority have come. In SQL, which becomes a part of the statement that calls it.
create function turn_reached(kind text, priority int) returns bigint
language sql
as $$
    select coalesce(pg_sequence_last_value(to_regclass(quote_ident('turn_' || kind || '_' || priority))), 0)
$$;

-- The line of an owner's jobs of a kind and priority: a number, because an index of numbers is read in half the time. Two
-- owners to whom chance gives the same one would share their turns.
create function line_of(kind text, priority int, owner text) returns bigint
language sql immutable
as $$
    select hashtextextended(kind || ' ' || priority::text || ' ' || owner, 0)
$$;

-- A job's turn so many rounds after another one.
create function turn_after(turn bigint, rounds bigint, id bigint) returns bigint
language sql immutable
as $$
    select (((turn >> 28) + rounds) << 28) | (id & 268435455)
$$;

-- The last turn that is taken in a line. Transactions that do not see each other put as many jobs into the same round,
-- which is worth no lock.
create function last_turn(line bigint, reached bigint) returns bigint
language plpgsql stable
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
#variable_conflict use_variable
begin
    return coalesce((
        select r.turn from ready r where r.gate = 0 and r.line = last_turn.line and r.turn >= reached
        order by r.line desc, r.turn desc limit 1), reached);
end
$$;

-- The row of a target in head, if it has one. In SQL as well.
create function head_of(target text) returns setof head
language sql stable
as $$
    select * from head h where h.target = $1 order by h.no desc limit 1
$$;

-- Lets the looks for what waits on a target begin as low as at some of its jobs, and at what else is open below them.
-- Leaves a target alone that somebody else has locked.
create function go_back(jobs bigint[]) returns void
language plpgsql
as $$
begin
    with low as materialized (
        select r.target, min(r.id) as id from ready r where r.id = any (jobs) and r.target is not null group by r.target
    ), seen as materialized (
        select h.target, h.no, l.id from low l cross join lateral head_of(l.target) s
        join head h on h.target = s.target and h.no = s.no
        where h.since > l.id for update of h skip locked
    )
    update head h set no = nextval('head_no'), since = coalesce((
        select r.id from ready r
        where r.gate = 0 and r.target is not null
          and (r.target, r.id) >= (s.target, 0) and (r.target, r.id) <= (s.target, s.id)
        order by r.target, r.id limit 1), s.id)
    from seen s where h.target = s.target and h.no = s.no;
end
$$;

-- Opens waiting jobs that the caller has locked and gives them their turns: next, where a worker has had them before, else
-- in a round of its own for each of an owner. Those that the looks for their target would pass over stay as they are.
create function line_up(jobs bigint[]) returns void
language plpgsql
as $$
begin
    if jobs = '{}' then
        return;
    end if;
    perform go_back(jobs);
    update ready r set gate = 0, turn = l.turn
    from (select x.id, case when x.redelivered
                     then v.reached + row_number() over (partition by x.redelivered order by x.run_at, x.id)
                     else turn_after(v.reached, row_number() over (
                         partition by x.line, x.redelivered order by x.run_at, x.id), x.id) end as turn
          from (select d.*, turn_reached(d.kind, d.priority) as reached from (
                    select distinct y.kind, y.priority from ready y where y.id = any (jobs)) d offset 0) v
          join ready x on (x.kind, x.priority) = (v.kind, v.priority)
          where x.id = any (jobs)
            and (x.target is null or x.id >= coalesce((select s.since from head_of(x.target) s), 0))) l
    where r.id = l.id;
end
$$;

-- Notifies who listens, unless the server's queue of notifications is half full: a full one fails the transaction, and
-- every notification here is a hint that somebody can do without.
create function hint(channel text, message text) returns void
language plpgsql
as $$
begin
    if pg_notification_queue_usage() < 0.5 then
        perform pg_notify(channel, message);
    end if;
end
$$;

-- Whether some worker sleeps, and wants to be told of jobs.
create function is_asleep() returns boolean
language sql
as $$
    select pg_sequence_last_value('wake') = 1
$$;

-- Tells sleeping workers, if any sleeps, that a job waits or will be due.
create function rouse() returns void
language plpgsql
as $$
begin
    if is_asleep() then
        perform hint('sheetsync_ready', '');
    end if;
end
$$;

-- Tells who listens which of some jobs have ended, under the same condition.
create function announce(ids bigint[], states text[]) returns void
language plpgsql
as $$
begin
    if pg_notification_queue_usage() < 0.5 then
        perform pg_notify('sheetsync_finalized', format('{"id": %s, "state": "%s"}', j.id, j.state))
        from unnest(ids, states) j(id, state) where j.state in ('completed', 'discarded', 'cancelled');
    end if;
end
$$;

-- Gives up the places of some jobs as the heads of their targets, and opens the first of the jobs that wait behind each.
-- Opening is always safe: a claim parks again what was opened too early.
create function vacate(ids bigint[], targets text[]) returns void
language plpgsql
as $$
begin
    -- Also above the number that was seen: a claim may have let the looks begin lower meanwhile, and the end counts all the
    -- same.
    update head h set no = nextval('head_no'), id = null
    from unnest(ids, targets) v(id, target) cross join lateral head_of(v.target) s
    where h.target = s.target and h.no >= s.no and h.id = v.id;
    -- A statement of its own, which sees what a claim parked while the one above waited for it.
    update ready r set gate = 0, turn = greatest(r.turn, turn_after(turn_reached(r.kind, r.priority), 1, r.id))
    where r.id in (
        select w.id from unnest(targets) v(target) left join lateral head_of(v.target) s on true
        cross join lateral (
            select r.id from ready r
            where r.gate = 2 and (r.target, r.id) >= (v.target, coalesce(s.since, 0)) and r.target <= v.target
            order by r.target, r.id limit 1 for update skip locked) w
        where s.id is null);
    if found then
        perform rouse();
    end if;
end
$$;

-- What a job that did not come to its end leaves behind: the part of its checkpoint that is meant for people.
create function saved_result(id bigint) returns jsonb
language sql stable
as $$
    select p.checkpoint -> 'result' from progress p
    where p.id = $1 and jsonb_typeof(p.checkpoint -> 'result') = 'object'
$$;

-- Whether a job makes a spreadsheet of its own. Where such a job ends before its time, and its attempts may have been unable
-- to save what they made, somebody looks for that (`take_unsettled`).
create function makes_spreadsheet(kind text, target text) returns boolean
language sql immutable
as $$
    select kind = 'export' and target is null
$$;

create function max_payload_bytes() returns bigint
language sql stable
as $$
    select s.value::bigint from setting s where s.name = 'max_payload_bytes'
$$;

create function may_query() returns boolean
language sql stable
as $$
    select pg_has_role(session_user, 'sheetsync_query', 'member') or pg_has_role(session_user, 'sheetsync_owner', 'member')
$$;

-- Which rule a job breaks that somebody wants to enqueue; null for none. In SQL, which becomes a part of the statement
-- that calls it, and short, because each call prepares all of it: `refuse` has the words.
create function flaw(kind text, payload jsonb, idempotency_key text, run_at timestamptz, priority int, owner text,
                     max_attempts int) returns text
language sql stable
as $$
    select case
        when jsonb_typeof(payload) is distinct from 'object' then 'payload'
        when (max_attempts between 1 and 100) is not true then 'max_attempts'
        when (length(owner) <= 200) is not true then 'owner'
        when length(idempotency_key) not between 1 and 200 then 'idempotency_key'
        when not isfinite(run_at) then 'run_at'
        -- The kind, or the priority.
        when to_regclass(quote_ident(current_schema) || '.' || quote_ident('turn_' || kind || '_' || priority)) is null
            then 'lane'
        -- Most need no look at the setting, which allows at least so much.
        when octet_length(payload::text) > 1048576 and octet_length(payload::text) > max_payload_bytes() then 'size'
        when (payload ? 'query' or payload ? 'sheets' and jsonb_path_exists(payload, 'lax $.sheets[*].query'))
            and not may_query() then 'query'
    end
$$;

-- Tells the caller of enqueue which rule his job breaks, and how to keep it.
create function refuse(flaw text, kind text, payload jsonb, idempotency_key text, run_at timestamptz, priority int,
                       owner text, max_attempts int) returns void
language plpgsql
as $$
declare
    rule    text := case when flaw <> 'lane' then flaw when priority between 0 and 9 then 'kind' else 'priority' end;
    message text := case rule
        when 'kind' then format('unknown kind of job: %s', coalesce(quote_literal(kind), 'null'))
        when 'payload' then format('the payload must be a JSON object, not %s', coalesce(jsonb_typeof(payload), 'null'))
        when 'size' then format(
            'the payload has %s bytes, more than the limit of %s', octet_length(payload::text), max_payload_bytes())
        when 'query' then format('the login %s may not enqueue queries', session_user)
        when 'priority' then format(
            'the priority must be from 0 (first) to 9 (last), not %s', coalesce(priority::text, 'null'))
        when 'max_attempts' then format('max_attempts must be from 1 to 100, not %s', coalesce(max_attempts::text, 'null'))
        when 'owner' then 'owner must be a text of at most 200 characters'
        when 'idempotency_key' then format(
            'idempotency_key must have from 1 to 200 characters, not %s', length(idempotency_key))
        when 'run_at' then format('run_at must be a point in time, not %s', run_at)
    end;
    hint    text := case rule
        when 'kind' then 'The kinds are ' || (select string_agg(k.name, ', ' order by k.name) from kind k) || '.'
        when 'size' then 'MAX_CONTENT_SIZE_MB of the daemon sets the limit.'
        when 'query' then format('An administrator can allow it: grant sheetsync_query to %I.', session_user)
    end;
    code    text := case rule when 'query' then '42501' else '22023' end;
begin
    if hint is null then
        raise exception using message = message, errcode = code;
    end if;
    raise exception using message = message, errcode = code, hint = hint;
end
$$;

-- What must not be written by two jobs at once. Cut, because an index takes no text of any length; Google's own have less
-- than fifty characters.
create function target_of(payload jsonb) returns text
language sql immutable
as $$
    select case when jsonb_typeof(payload -> 'spreadsheet_id') = 'string'
        then 'spreadsheet:' || nullif(left(payload ->> 'spreadsheet_id', 200), '') end
$$;

-- By which a key knows its job again.
create function digest_of(kind text, payload jsonb) returns bytea
language sql immutable
as $$
    select sha256(convert_to(kind || ' ' || payload::text, 'UTF8'))
$$;

-- The job that the caller's key has made before.
create function made_before(idempotency_key text, digest bytea) returns bigint
language plpgsql
as $$
#variable_conflict use_variable
declare
    known record;
begin
    select j.id, j.payload_digest into known from job j
    where j.enqueued_by = session_user and j.idempotency_key = made_before.idempotency_key;
    if not found then
        -- Another transaction made it after this one's snapshot (repeatable read or serializable): try again.
        raise exception 'the idempotency key was used by a transaction that this one cannot see yet'
            using errcode = '40001';
    end if;
    if known.payload_digest is distinct from digest then
        raise exception 'the idempotency key belongs to job %, which has another kind or payload', known.id
            using errcode = '22023', hint = 'Use a new key for a new job.';
    end if;
    return known.id;
end
$$;

create function enqueue(kind text, payload jsonb, idempotency_key text default null, run_at timestamptz default null,
                        priority int default 5, owner text default '', max_attempts int default 10) returns bigint
language plpgsql security definer set search_path from current
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
#variable_conflict use_variable
declare
    fault    text := flaw(kind, payload, idempotency_key, run_at, priority, owner, max_attempts);
    -- A time in the past is no way past the jobs that already wait.
    due      timestamptz := greatest(run_at, now());
    digest   bytea;
    target   text := target_of(payload);
    own_line bigint := line_of(kind, priority, owner);
    reached  bigint;
    id       bigint;
begin
    if fault is not null then
        perform refuse(fault, kind, payload, idempotency_key, run_at, priority, owner, max_attempts);
    end if;
    if idempotency_key is not null then
        digest := digest_of(kind, payload);
    end if;
    reached := turn_reached(kind, priority);
    insert into job as j (kind, priority, max_attempts, owner, target, idempotency_key, payload_digest, enqueued_by,
                          payload, scheduled_at)
    values (kind, priority, max_attempts, owner, target, idempotency_key, digest, session_user, payload, due)
    on conflict do nothing returning j.id into id;
    if id is null then
        return made_before(idempotency_key, digest);
    end if;
    -- Open, whatever runs on its target: to find that out here would need a lock that other producers wait for.
    insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, line, turn, target)
    values (id, kind, priority, (due > now())::int, 0, false, due, own_line,
            -- As last_turn says it; a call of that would cost as much again as all of this.
            case when due > now() then 0 else turn_after(coalesce((
                select r.turn from ready r where r.gate = 0 and r.line = own_line and r.turn >= reached
                order by r.line desc, r.turn desc limit 1), reached), 1, id) end, target);
    if is_asleep() then
        perform rouse();
    end if;
    return id;
end
$$;

-- Whether an element of an array of jobs is an object of enqueue's parameters.
create function is_job(element jsonb) returns boolean
language sql immutable
as $$
    select case when jsonb_typeof(element) = 'object' then
        element - array['kind', 'payload', 'idempotency_key', 'run_at', 'priority', 'owner', 'max_attempts'] = '{}'
        and not jsonb_path_exists(element - 'payload', 'strict $.* ? (@.type() == "object" || @.type() == "array")')
        else false end
$$;

-- The jobs of an array, with what enqueue takes for a parameter that is not given; in SQL, like flaw.
create function parsed(jobs jsonb) returns table (
    place bigint, kind text, payload jsonb, idempotency_key text, run_at timestamptz, priority int, owner text,
    max_attempts int, flaw text)
language sql stable
as $$
    select j.place, j.kind, j.payload, j.idempotency_key, j.run_at, j.priority, j.owner, j.max_attempts,
           case when is_job(j.element)
               then flaw(j.kind, j.payload, j.idempotency_key, j.run_at, j.priority, j.owner, j.max_attempts)
               else 'element' end
    -- `offset 0`, or each value would be taken out of the object anew wherever it is used.
    from (select e.job as element, e.place, e.job ->> 'kind' as kind, e.job -> 'payload' as payload,
                 e.job ->> 'idempotency_key' as idempotency_key, (e.job ->> 'run_at')::timestamptz as run_at,
                 coalesce((e.job ->> 'priority')::int, 5) as priority, coalesce(e.job ->> 'owner', '') as owner,
                 coalesce((e.job ->> 'max_attempts')::int, 10) as max_attempts
          from jsonb_array_elements(jobs) with ordinality e(job, place) offset 0) j
$$;

-- Tells the caller of enqueue_many which of his jobs is the first that cannot be enqueued, and why.
create function refuse_first(jobs jsonb) returns void
language plpgsql
as $$
declare
    element record;
    wrong   text;
    job     record;
begin
    for element in select e.value, e.ordinality as place from jsonb_array_elements(jobs) with ordinality e loop
        if jsonb_typeof(element.value) <> 'object' then
            raise exception 'it must be a JSON object, not %', jsonb_typeof(element.value) using errcode = '22023';
        end if;
        select field.key into wrong from jsonb_each(element.value) field
        where field.key not in ('kind', 'payload', 'idempotency_key', 'run_at', 'priority', 'owner', 'max_attempts');
        if found then
            raise exception 'the field % is unknown', quote_literal(wrong) using errcode = '22023';
        end if;
        select field.key into wrong from jsonb_each(element.value) field
        where field.key <> 'payload' and jsonb_typeof(field.value) in ('object', 'array');
        if found then
            raise exception 'the field % must be a text or a number', quote_literal(wrong) using errcode = '22023';
        end if;
        select p.* into job from parsed(jsonb_build_array(element.value)) p;
        if job.flaw is not null then
            perform refuse(job.flaw, job.kind, job.payload, job.idempotency_key, job.run_at, job.priority, job.owner,
                           job.max_attempts);
        end if;
    end loop;
exception when data_exception then
    raise exception 'jobs[%]: %', element.place - 1, sqlerrm using errcode = '22023';
end
$$;

create function enqueue_many(jobs jsonb) returns table (ordinality bigint, id bigint, created boolean)
language plpgsql security definer set search_path from current
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
#variable_conflict use_column
declare
    ids        bigint[];                        -- of the jobs that were made, by place; null where a key has one already
    is_refused boolean;
begin
    if jobs is null or jsonb_typeof(jobs) <> 'array' then
        raise exception 'jobs must be a JSON array of objects, not %', coalesce(jsonb_typeof(jobs), 'null')
            using errcode = '22023';
    end if;
    begin
        with job as materialized (
            select p.*, nextval('job_id_seq') as id, greatest(p.run_at, now()) as due, target_of(p.payload) as target,
                   line_of(p.kind, p.priority, p.owner) as line
            from parsed(jobs) p
        ), made as (
            insert into job (id, kind, priority, max_attempts, owner, target, idempotency_key, payload_digest,
                             enqueued_by, payload, scheduled_at) overriding system value
            select n.id, n.kind, n.priority, n.max_attempts, n.owner, n.target, n.idempotency_key,
                   case when n.idempotency_key is not null then digest_of(n.kind, n.payload) end, session_user,
                   n.payload, n.due
            from job n where n.flaw is null
            -- In the order of the keys, so that two callers with the same keys cannot wait for each other.
            order by n.idempotency_key nulls first, n.place
            on conflict do nothing returning id
        ), first as materialized (
            select l.line, last_turn(l.line, turn_reached(l.kind, l.priority)) as turn
            from (select distinct n.line, n.kind, n.priority from job n where n.due <= now()) l
        ), waiting as (
            -- Open, as enqueue says.
            insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, line, turn, target)
            select n.id, n.kind, n.priority, (n.due > now())::int, 0, false, n.due, n.line,
                   coalesce(turn_after(f.turn, row_number() over (partition by f.line order by n.place), n.id), 0), n.target
            from made m join job n on n.id = m.id left join first f on f.line = n.line and n.due <= now()
        )
        select array_agg(m.id order by n.place), bool_or(n.flaw is not null) into ids, is_refused
        from job n left join made m on m.id = n.id;
        if is_refused then
            perform refuse_first(jobs);
        end if;
        perform rouse();
        for ordinality, id in select u.place, u.id from unnest(ids) with ordinality u(id, place) loop
            created := id is not null;
            if not created then
                id := made_before(
                    jobs -> (ordinality::int - 1) ->> 'idempotency_key',
                    digest_of(jobs -> (ordinality::int - 1) ->> 'kind', jobs -> (ordinality::int - 1) -> 'payload'));
            end if;
            return next;
        end loop;
    exception when data_exception then
        if ordinality is null then
            perform refuse_first(jobs);
            raise;
        end if;
        raise exception 'jobs[%]: %', ordinality - 1, sqlerrm using errcode = '22023';
    end;
end
$$;

-- True: the job is cancelled, or where it runs its worker was asked to stop.
create function cancel(id bigint) returns boolean
language plpgsql security definer set search_path from current
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_variable
declare
    taken ready;
begin
    if not exists (select from job j where j.id = cancel.id and (j.enqueued_by = session_user or may_see_all())) then
        return false;
    end if;
    -- Between two looks the job may move from one table to the next, so look again.
    for look in 1..10 loop
        delete from ready r where r.id = cancel.id returning r.* into taken;
        if found then
            insert into outcome (id, state, attempt, attempted_at, result, look_at)
            values (cancel.id, 'cancelled', taken.attempt, taken.attempted_at, saved_result(cancel.id),
                    case when taken.redelivered and makes_spreadsheet(taken.kind, taken.target) then clock_timestamp() end);
            perform vacate(array[cancel.id], array[taken.target]);
            perform announce(array[cancel.id], array['cancelled']);
            return true;
        end if;
        if exists (select from lease l where l.id = cancel.id) then
            insert into cancel_request (id, by) values (cancel.id, session_user) on conflict do nothing;
            perform hint('sheetsync_cancel', cancel.id::text);
            return true;
        end if;
        if exists (select from outcome o where o.id = cancel.id) then
            return false;
        end if;
    end loop;
    return false;
end
$$;

-- Cancels the jobs that wait although somebody wants them cancelled: they were put back just while the request was made.
-- Forgets the requests for jobs that ended just then. Waits for nobody.
create function settle_cancellations() returns void
language plpgsql
as $$
declare
    settled record;
begin
    for settled in
        with asked as materialized (
            select r.id from cancel_request c join ready r on r.id = c.id for update skip locked
        ), gone as (
            delete from ready r using asked a where r.id = a.id returning r.*
        ), ended as (
            insert into outcome (id, state, attempt, attempted_at, result, look_at)
            select g.id, 'cancelled', g.attempt, g.attempted_at, saved_result(g.id),
                   case when g.redelivered and makes_spreadsheet(g.kind, g.target) then clock_timestamp() end
            from gone g
        ), answered as (
            delete from cancel_request c using gone g where c.id = g.id
        )
        select g.id, g.target from gone g
    loop
        perform vacate(array[settled.id], array[settled.target]);
        perform announce(array[settled.id], array['cancelled']);
    end loop;
    delete from cancel_request c
    where c.id in (select x.id from cancel_request x join outcome o on o.id = x.id for update of x skip locked);
end
$$;

-- True: a discarded or cancelled job is available again, with all its attempts; its history stays. Among the jobs that
-- wait for the same target it takes the place of its number: a claim opens it and lets the looks begin there, for which the
-- caller would need a lock that workers wait for.
create function retry(id bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
begin
    with gone as (
        delete from outcome o using job j
        where o.id = retry.id and o.state <> 'completed' and j.id = o.id
          and (j.enqueued_by = session_user or may_see_all())
        returning j.id, j.kind, j.priority, j.owner, j.target, o.attempted_at
    )
    insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, attempted_at, line, turn, target)
    select g.id, g.kind, g.priority, (g.target is not null)::int, 0, g.attempted_at is not null, now(), g.attempted_at,
           l.line, turn_after(last_turn(l.line, turn_reached(g.kind, g.priority)), 1, g.id), g.target
    from gone g cross join lateral (select line_of(g.kind, g.priority, g.owner) as line) l;
    if not found then
        return false;
    end if;
    delete from cancel_request c where c.id = retry.id;
    perform rouse();
    return true;
end
$$;

-- The operator's side.

-- Stops the claiming of one kind of job, or of all; true unless it was stopped before.
create function pause_queue(kind text default null) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
begin
    if kind is not null and not exists (select from kind k where k.name = kind) then
        raise exception 'unknown kind of job: %', quote_literal(kind) using errcode = '22023',
            hint = 'The kinds are ' || (select string_agg(k.name, ', ' order by k.name) from kind k) || '.';
    end if;
    insert into pause (kind, by) values (coalesce(kind, ''), session_user) on conflict do nothing;
    return found;
end
$$;

-- Lifts the pause of one kind, or every pause; true if there was any.
create function resume_queue(kind text default null) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
begin
    delete from pause p where kind is null or p.kind = resume_queue.kind;
    if not found then
        return false;
    end if;
    perform rouse();
    return true;
end
$$;

-- The worker's side. Times are the database's; a worker is known by its epoch alone.

create function enter(epoch bigint, name text, version text, concurrency int, kinds text[] default null) returns void
language sql security definer set search_path from current
as $$
    insert into worker (epoch, name, version, concurrency, kinds) values (epoch, name, version, concurrency, kinds)
    -- It may come twice: the first time without its answer reaching the worker.
    on conflict on constraint worker_pkey do update set beat_at = clock_timestamp()
$$;

-- Of some open jobs that the caller has locked, returns those that may run, one at most of each target: its head. The
-- others are parked behind what is in their way, and with them all open jobs of the target that come later, so that no
-- claim looks at them again.
--
-- Three rules keep this right. To run, a job needs the target's row in head, which has one place. To park a job needs a
-- lock on what it is parked behind, so that this cannot end unseen; where somebody else has it locked, the job stays open
-- for a later claim. Opening needs nothing.
--
-- Whoever waits for a target is looked for from `since` on, a hundred numbers below the last that began, because
-- transactions do not commit in the order of their jobs. A job that comes later still is too low, and lets the looks begin
-- lower; for such a one alone they pass what has ended.
create function admit(jobs bigint[]) returns bigint[]
language plpgsql
as $$
declare
    admitted bigint[];
    unknown  text[];                            -- targets without a row in head
    low      bigint[];                          -- jobs that are too low
begin
    for look in 1..2 loop
        with seen as materialized (
            select r.id, r.target, s.no, s.id as head, coalesce(s.since, 0) as since
            from ready r left join lateral head_of(r.target) s on true where r.id = any (jobs)
        ), first as materialized (
            select s.* from (
                select distinct on (x.target) x.* from seen x
                where x.target is not null and x.head is null and x.id >= x.since order by x.target, x.id) s
            where (select e.id from ready e
                   where e.gate = 0 and e.target is not null
                     and (e.target, e.id) >= (s.target, s.since) and (e.target, e.id) < (s.target, s.id)
                   order by e.target, e.id limit 1) is null
              and (select e.id from ready e
                   where e.gate = 2 and (e.target, e.id) >= (s.target, s.since) and (e.target, e.id) < (s.target, s.id)
                   order by e.target, e.id limit 1) is null
              -- Before the looks have begun at those that are too low, it is not known whether this is the first.
              and not exists (select from seen y where y.target = s.target and y.id < y.since)
        ), free as materialized (
            select f.* from first f join head h on h.target = f.target and h.no = f.no
            where h.id is null for update of h skip locked
        ), begun as (
            update head h set no = nextval('head_no'), id = f.id, since = greatest(f.since, f.id - 100)
            from free f where h.target = f.target and h.no = f.no
            returning h.id
        )
        select array(select s.id from seen s where s.target is null or s.head = s.id union all select b.id from begun b),
               array(select f.target from first f where f.no is null order by f.target),
               array(select s.id from seen s where s.id < s.since)
        into admitted, unknown, low;
        exit when look = 2 or unknown = '{}' and low = '{}';
        if unknown <> '{}' then
            -- Of two that do so at once the second waits, and its next look shows what the first one did.
            insert into head (target, no, since) select u.target, 0, 0 from unnest(unknown) u(target)
            on conflict do nothing;
        end if;
        if low <> '{}' then
            perform go_back(low);
        end if;
    end loop;
    if cardinality(admitted) = cardinality(jobs) then
        return admitted;
    end if;

    with seen as materialized (
        select r.id, r.target, s.no, s.id as head, coalesce(s.since, 0) as since
        from ready r left join lateral head_of(r.target) s on true
        where r.id = any (jobs) and r.target is not null and r.id >= coalesce(s.since, 0)
    ), behind_head as materialized (
        select s.* from seen s join head h on h.target = s.target and h.no = s.no
        where h.id <> s.id for share of h skip locked
    ), behind_earlier as materialized (
        select s.* from seen s cross join lateral (
            select from ready e
            where e.gate = 0 and e.target is not null
              and (e.target, e.id) >= (s.target, s.since) and (e.target, e.id) < (s.target, s.id)
            order by e.target, e.id limit 1 for share skip locked) e
        where s.head is null
    ), blocked as materialized (
        select b.target, b.head, min(b.id) as first
        from (select * from behind_head union all select * from behind_earlier) b group by b.target, b.head
    ), held as materialized (
        select w.id from blocked b cross join lateral (
            select r.id from ready r
            where r.gate = 0 and r.target = b.target and (r.target, r.id) >= (b.target, b.first)
            limit 10000 for update skip locked) w
        where w.id is distinct from b.head
    )
    update ready r set gate = 2 from held h where r.id = h.id;
    return admitted;
end
$$;

-- Moves up to `most` open jobs of one kind and priority into leases. Returns those, and all that it looked at; the others
-- are parked, or locked together with what is in their way, or in `passed` already.
create function take(epoch bigint, kind text, lane int, most int, passed bigint[], out looked bigint[], out taken bigint[])
language plpgsql
as $$
#variable_conflict use_column
declare
    reached     bigint := turn_reached(kind, lane);
    first       bigint := reached - 100;
    last        bigint;
    has_targets boolean;
begin
    select coalesce(array_agg(x.id), '{}'), bool_or(x.target is not null) into looked, has_targets from (
        select r.id, r.target from ready r
        where r.gate = 0 and r.kind = take.kind and r.priority = lane and r.turn >= first and r.id <> all (passed)
        order by r.turn, r.id limit most for update skip locked) x;
    taken := looked;
    if looked = '{}' then
        return;
    end if;
    if has_targets then
        taken := admit(looked);
    end if;
    with gone as materialized (
        delete from ready r where r.id = any (taken) returning r.*
    ), begun as (
        insert into lease (id, lease_no, epoch, attempt, redelivered, target)
        select g.id, nextval('lease_no'), take.epoch, g.attempt + 1, g.redelivered, g.target
        from (select * from gone order by turn, id) g
    )
    select max(g.turn) into last from gone g;
    if last > reached then
        perform setval(to_regclass(quote_ident('turn_' || kind || '_' || lane)), last);
    end if;
end
$$;

-- How many entries of the claims' index this session has read lately, those of dead rows included.
create function entries_read() returns bigint
language sql
as $$
    select pg_stat_get_xact_tuples_returned(to_regclass('ready_open'))
$$;

-- Lets the claims of some kinds begin far above where they are, in the priorities that have no open jobs. There the rows of
-- thousands of jobs may lie that were cancelled or parked, and each claim would pass them while somebody's transaction is
-- open. A job that is just being enqueued comes to lie below, where only a look back finds it: so this is for need alone.
create function pass_by(kinds text[]) returns void
language sql
as $$
    select setval(to_regclass(quote_ident('turn_' || k || '_' || p)), turn_after(v.turn, 1000000, 0))
    from unnest(kinds) k cross join generate_series(0, 9) p
    cross join lateral (select turn_reached(k, p) as turn offset 0) v
    where (select r.id from ready r where r.gate = 0 and r.kind = k and r.priority = p and r.turn >= v.turn - 100
           order by r.turn, r.id limit 1) is null
$$;

-- Takes up to `slots` open jobs, after opening those whose time has come, and returns them in the order of taking.
--
-- `rooms` says of each kind that the worker knows how many jobs of it may begin, as {"export": 3, "noop": 16}; the others
-- and those that are paused are left alone. The most urgent come first; within one priority the kinds take turns,
-- beginning behind the one that was served last, and within a kind the owners, by the turns of their jobs.
--
-- `look_back` says whether to look also for jobs that came to lie where the claims have been already: a transaction was
-- open for long before it committed them, or a claim of them was rolled back. They get into line anew. A worker does that
-- once in a while, because it reads past every dead row.
--
-- Where the answer to an earlier claim may have been lost, `held` has the lease numbers that the worker knows of. What else
-- it holds comes first then: nobody else could ever run or end it while this worker lives.
--
-- The planner would guess thousands of rows behind a parameter as limit and hash-join the whole of job, and plan half of
-- the statements anew in each claim.
create function claim(epoch bigint, slots int, rooms jsonb, after_kind text default '', held bigint[] default null,
                      look_back boolean default true)
returns table (id bigint, lease_no bigint, attempt int, redelivered boolean, kind text, payload jsonb, max_attempts int,
               owner text, target text, checkpoint jsonb, identity text)
language plpgsql security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_column
declare
    claimed bigint[] := '{}';
    passed  bigint[] := '{}';                   -- targeted jobs that were looked at
    lane    record;
    kinds   text[] := array(
        select r.key from jsonb_each_text(rooms) r
        where r.value::int > 0 and not exists (select from pause p where p.kind in (r.key, ''))
        order by r.key <= after_kind, r.key);
    busy    text[];                             -- those that may have more jobs of the priority
    free    int;
    room    int;                                -- of one kind
    most    int;
    got     record;
    before  bigint;
begin
    if exists (select from cancel_request) then
        perform settle_cancellations();
    end if;
    perform line_up(array(
        select t.id from ready t
        where t.gate = 1 and t.run_at <= now()
          and t.run_at > case when look_back then '-infinity' else now() - interval '1 minute' end
        order by t.run_at limit 1000 for update skip locked));
    if look_back then
        perform line_up(array(
            select b.id from unnest(kinds) k cross join generate_series(0, 9) p
            cross join lateral (select turn_reached(k, p) - 100 as turn offset 0) v
            cross join lateral (
                select r.id from ready r where r.gate = 0 and r.kind = k and r.priority = p and r.turn < v.turn
                order by r.turn, r.id limit 1000 for update skip locked) b));
    end if;
    if held is not null then
        claimed := array(
            select l.id from lease l where l.epoch = claim.epoch and l.lease_no <> all (held) order by l.lease_no
            limit slots);
    end if;
    before := entries_read();
    -- Most priorities have no jobs, which is found out in one statement.
    for lane in
        select p as priority, array_agg(k order by place) as kinds
        from unnest(kinds) with ordinality u(k, place) cross join generate_series(0, 9) p
        cross join lateral (select turn_reached(k, p) - 100 as turn offset 0) v
        -- Not by `exists`, which the planner may make a join of, and read every open job.
        where (select r.id from ready r where r.gate = 0 and r.kind = k and r.priority = p and r.turn >= v.turn
               order by r.turn, r.id limit 1) is not null
        group by p order by p
    loop
        exit when cardinality(claimed) >= slots;
        busy := lane.kinds;
        while busy <> '{}' loop
            -- In one lap each kind has its share of what is free; who has no more leaves its share to the others.
            for place in 1..cardinality(busy) loop
                free := slots - cardinality(claimed);
                room := (rooms ->> busy[place])::int;
                most := least(ceil(free::numeric / (cardinality(busy) - place + 1)), room);
                -- Whatever is in the way, a claim comes to an end; the next one goes on.
                if most > 0 and cardinality(passed) <= 2000 then
                    select * into got from take(claim.epoch, busy[place], lane.priority, most, passed);
                    claimed := claimed || got.taken;
                    if got.taken <> got.looked then
                        passed := passed || got.looked;
                    end if;
                    rooms := jsonb_set(rooms, array[busy[place]], to_jsonb(room - cardinality(got.taken)));
                    continue when cardinality(got.looked) = most;
                end if;
                busy[place] := null;
            end loop;
            busy := array_remove(busy, null);
        end loop;
    end loop;
    if entries_read() > before + 5000 then
        perform pass_by(kinds);
    end if;
    if claimed = '{}' then
        return;
    end if;
    return query
    select l.id, l.lease_no, l.attempt::int, l.redelivered, j.kind, j.payload, j.max_attempts::int, j.owner, j.target,
           p.checkpoint, coalesce(p.checkpoint ->> 'identity', m.identity)
    from lease l join job j on j.id = l.id left join progress p on p.id = l.id left join maker m on m.target = j.target
    where l.id = any (claimed) order by l.lease_no;
    -- A worker that was taken for dead while it was suspended must not begin anything. The lock keeps others from
    -- taking it for dead between this look and the commit; a beat does not wait for it.
    perform from worker w where w.epoch = claim.epoch for key share;
    if not found then
        raise exception 'this worker was taken for dead' using errcode = '55000';
    end if;
end
$$;

-- Says that this worker is about to sleep. Returns the seconds until the next timed job is due, null for none, and
-- whether the flag was down before: then a job may have come without a notification, so look once more.
create function arm(out seconds_until_due float8, out was_down boolean)
language plpgsql security definer set search_path from current
as $$
begin
    was_down := (select last_value from wake) <> 1;
    if was_down then
        perform setval('wake', 1);
    end if;
    -- What was due before that a claim opens when it looks back.
    select extract(epoch from min(r.run_at) - clock_timestamp()) into seconds_until_due
    from ready r where r.gate = 1 and r.run_at > now() - interval '1 minute';
end
$$;

-- Says that this worker is busy and looks by itself, so that enqueue stops notifying; false where another one has a free
-- slot, which may sleep and needs the notifications.
create function disarm(epoch bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
begin
    if exists (select from worker w where w.epoch <> disarm.epoch and w.in_flight < w.concurrency) then
        return false;
    end if;
    perform setval('wake', 0);
    return true;
end
$$;

-- Ends or puts back a batch of running jobs, each {id, lease_no, end, result, error, delay}: `end` is completed,
-- discarded, cancelled, retry (after `delay` seconds) or release (given back, costs no attempt; its error is what the
-- job waits for, and no failure). Returned are the jobs
-- that this worker still held, with where they are now; the others belong to somebody else, and nothing was written.
create function finish(epoch bigint, endings jsonb, keep_payloads boolean default false)
returns table (id bigint, state text)
language plpgsql security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
declare
    ids     bigint[];
    states  text[];
    is_back boolean;
    vacated bigint[];                           -- those with targets
    targets text[];
begin
    with ending as materialized (
        -- At most thirty days: a delay beyond all dates would fail the whole batch, and fail it again for ever.
        select e.id, e.lease_no, e."end", e.result, e.error, least(greatest(coalesce(e.delay, 0), 0), 2592000) as delay
        from jsonb_to_recordset(endings)
            as e(id bigint, lease_no bigint, "end" text, result jsonb, error jsonb, delay float8)
    ), gone as (
        delete from lease l using ending e
        where l.id = e.id and l.lease_no = e.lease_no and l.epoch = finish.epoch
        returning l.id, l.target, l.attempt, l.redelivered, l.at, e."end", e.result, e.error, e.delay
    ), moved as materialized (
        select g.*, j.kind, j.priority, j.owner,
               case when g."end" in ('retry', 'release') and c.id is not null then 'cancelled'
                    when g."end" = 'retry' and g.attempt >= j.max_attempts then 'discarded'
                    else g."end" end as state
        from gone g join job j on j.id = g.id left join cancel_request c on c.id = g.id
    ), ended as (
        insert into outcome (id, state, attempt, attempted_at, result, look_at)
        select m.id, m.state, m.attempt, m.at, case when m.state = 'completed' then m.result else saved_result(m.id) end,
               -- Who fails for good in the first attempt knows what it has made.
               case when (m.state = 'cancelled' or m.state = 'discarded' and (m."end" = 'retry' or m.redelivered))
                   and makes_spreadsheet(m.kind, m.target) then clock_timestamp() end
        from moved m where m.state is null or m.state not in ('retry', 'release')
    ), failed as (
        insert into failure (id, attempt, error)
        select m.id, m.attempt, m.error from moved m where m.error is not null and m."end" <> 'release'
    ), back as (
        insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, attempted_at, line, turn, target,
                           waits_for)
        select m.id, m.kind, m.priority, (m.delay > 0)::int, m.attempt - (m.state = 'release')::int, true,
               now() + make_interval(secs => m.delay), m.at, line_of(m.kind, m.priority, m.owner),
               turn_reached(m.kind, m.priority) + row_number() over (), m.target,
               case m.state when 'release' then m.error end
        from moved m where m.state in ('retry', 'release')
    ), forgotten as (
        update job j set payload = null from moved m
        where j.id = m.id and m.state = 'completed' and not keep_payloads
    ), answered as (
        delete from cancel_request c using moved m where c.id = m.id and m.state not in ('retry', 'release')
    )
    select array_agg(m.id),
           array_agg(case m.state when 'retry' then 'retryable' when 'release' then 'available' else m.state end),
           bool_or(m.state in ('retry', 'release')),
           array_agg(m.id) filter (where m.target is not null and m.state not in ('retry', 'release')),
           array_agg(m.target) filter (where m.target is not null and m.state not in ('retry', 'release'))
    into ids, states, is_back, vacated, targets
    from moved m;
    if vacated is not null then
        perform vacate(vacated, targets);
    end if;
    perform announce(ids, states);
    if is_back then
        perform rouse();
    end if;
    return query select * from unnest(ids, states);
end
$$;

-- Says that a worker lives, and learns which of its jobs somebody wants cancelled, and whether there is something for
-- `take_unsettled`. False: it was taken for dead, its jobs are somebody else's, and it must stop what it does.
create function beat(epoch bigint, in_flight int, last_error text, out alive boolean, out cancelled bigint[],
                     out unsettled boolean)
language plpgsql security definer set search_path from current
set enable_seqscan = off set jit = off
as $$
begin
    update worker w set beat_at = clock_timestamp(), in_flight = beat.in_flight, last_error = beat.last_error
    where w.epoch = beat.epoch;
    alive := found;
    cancelled := '{}';
    if exists (select from cancel_request) then
        -- `offset 0`, or the planner may read the leases of this worker, those that have ended included.
        cancelled := array(
            select c.id from cancel_request c
            cross join lateral (select l.epoch from lease l where l.id = c.id offset 0) l where l.epoch = beat.epoch);
    end if;
    -- What was due before that a worker finds when it looks from the beginning.
    unsettled := (select o.look_at from outcome o where o.look_at > now() - interval '1 minute' and o.look_at <= now()
                  order by o.look_at limit 1) is not null;
end
$$;

-- Takes one job of some kinds that ended before its time, for a look at what it has made. If nobody settles that, the next
-- look is so many seconds from now; where many were in vain, later and later. Looked for is behind `since`, and returned is
-- where the next call may go on: what was settled stays in its way while a transaction is open.
create function take_unsettled(kinds text[], pause float8, since timestamptz)
returns table (id bigint, attempt int, kind text, payload jsonb, max_attempts int, owner text, target text, checkpoint jsonb,
               identity text, ended_at text, ended_for float8, was_due_at text)
language plpgsql security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
#variable_conflict use_column
begin
    return query
    with due as materialized (
        select o.id, o.look_at from outcome o join job j on j.id = o.id
        where o.look_at > since and o.look_at <= now() and j.kind = any (kinds) order by o.look_at limit 1 for update of o skip locked
    ), taken as (
        update outcome o set look_at = now() + greatest(make_interval(secs => pause), (now() - o.finalized_at) / 4)
        from due d where o.id = d.id
        returning o.id, o.attempt, o.finalized_at, d.look_at
    )
    select t.id, t.attempt::int, j.kind, j.payload, j.max_attempts::int, j.owner, j.target, p.checkpoint,
           p.checkpoint ->> 'identity', t.finalized_at::text, extract(epoch from clock_timestamp() - t.finalized_at)::float8,
           t.look_at::text
    from taken t join job j on j.id = t.id left join progress p on p.id = t.id;
end
$$;

-- Ends the looks for what a job has made; what was found becomes its result, null leaves that as it is. False: the job was
-- retried since, or another worker was first. Waits for nobody.
create function settle(id bigint, ended_at timestamptz, result jsonb) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
declare
    state text;
begin
    update outcome o set look_at = null, result = coalesce(settle.result, o.result)
    where o.id in (select x.id from outcome x
                   where x.id = settle.id and x.finalized_at = settle.ended_at and x.look_at is not null
                   for update skip locked)
    returning o.state into state;
    if state is null then
        return false;
    end if;
    if result is not null then
        perform announce(array[id], array[state]);
    end if;
    return true;
end
$$;

-- Signs off and gives back, without costing an attempt, what the worker still holds.
create function leave(epoch bigint) returns void
language plpgsql security definer set search_path from current
as $$
begin
    -- First, so that a claim that is still under way either fails or is seen below.
    delete from worker w where w.epoch = leave.epoch;
    perform from finish(leave.epoch, (
        select jsonb_agg(jsonb_build_object('id', l.id, 'lease_no', l.lease_no, 'end', 'release'))
        from lease l where l.epoch = leave.epoch));
end
$$;

-- Takes the jobs of workers that have not beaten for some time back into the queue. That attempt counts; a job whose
-- attempts are used up, or that somebody wants cancelled, ends. Returns where the jobs are now.
--
-- `look_back` says whether to look also for jobs of workers that are gone already: one that died just while it ended a job
-- leaves it behind where that end is rolled back. This reads all leases.
create function reclaim(seconds float8, look_back boolean default true) returns table (id bigint, state text)
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_column
declare
    dead bigint[];
begin
    with gone as (
        delete from worker w
        where w.epoch in (select x.epoch from worker x where x.beat_at < clock_timestamp() - make_interval(secs => seconds)
                          for update skip locked)
        returning w.epoch
    )
    select array_agg(g.epoch) into dead from gone g;
    if look_back then
        select array_agg(distinct l.epoch) into dead from lease l
        where not exists (select from worker w where w.epoch = l.epoch);
    end if;
    for i in 1..coalesce(array_length(dead, 1), 0) loop
        return query
        select f.id, f.state from finish(dead[i], (
            select jsonb_agg(jsonb_build_object(
                'id', l.id, 'lease_no', l.lease_no, 'end', 'retry', 'error', jsonb_build_object(
                    'code', 'queue.worker_lost', 'retryable', true,
                    'message', 'The worker that ran this attempt stopped giving signs of life; the job was taken from it.')))
            -- Not in the way of another reclaim, nor of what the dead one still says.
            from (select * from lease x where x.epoch = dead[i] for update skip locked) l)) f;
    end loop;
end
$$;

-- Opens the first job of each target where it is parked although no earlier one is open, runs or will run again, or where
-- the looks for who waits would pass over it. That happens where a cancel that holds it is rolled back just when it should
-- have been opened, or where a cancel in a transaction with an old snapshot did not see what to open. This begins at no number, and reads past every dead row of those
-- targets.
create function open_forgotten() returns int
language plpgsql security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
declare
    opened int;
begin
    with recursive held as (
        (select r.target from ready r where r.gate = 2 order by r.target limit 1)
        union all
        select (select r.target from ready r where r.gate = 2 and r.target > h.target order by r.target limit 1)
        from held h where h.target is not null
    ), first as materialized (
        select f.id from held h cross join lateral (
            select r.id from ready r where r.target = h.target and r.gate = 2 order by r.id limit 1
            for update skip locked) f left join lateral head_of(h.target) s on true
        where f.id < s.since or s.id is null
          and not exists (select from ready r where r.target = h.target and r.gate = 0 and r.id < f.id)
    )
    update ready r set gate = 0, turn = greatest(r.turn, turn_after(turn_reached(r.kind, r.priority), 1, r.id))
    from first f where r.id = f.id;
    get diagnostics opened = row_count;
    if opened > 0 then
        perform rouse();
    end if;
    return opened;
end
$$;

-- Removes up to `most` jobs that ended longer ago than some seconds, with all that is known of them, and of their targets
-- where nothing later began. Returns how many, and where the next call may go on: what was removed stays in its way while a
-- transaction is open.
create function remove_finished(seconds float8, most int, since timestamptz default '-infinity',
                                out removed int, out until timestamptz)
language plpgsql security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set jit = off
as $$
declare
    old bigint[];
begin
    select coalesce(array_agg(x.id), '{}'), coalesce(max(x.finalized_at), since) into old, until from (
        select o.id, o.finalized_at from outcome o
        where o.finalized_at >= since and o.finalized_at < now() - make_interval(secs => seconds)
        order by o.finalized_at limit most for update skip locked) x;
    delete from outcome o where o.id = any (old);
    delete from failure f where f.id = any (old);
    delete from progress p where p.id = any (old);
    delete from cancel_request c where c.id = any (old);
    with gone as (
        delete from job j where j.id = any (old) returning j.id, j.target
    ), last as materialized (
        select g.target, max(g.id) as id from gone g where g.target is not null group by g.target
    ), done as materialized (
        -- Those below it too: two that began on a target at once have made two rows.
        select h.target, h.no from last l cross join lateral head_of(l.target) s
        join head h on h.target = s.target and h.no <= s.no
        where s.id is null and s.since <= l.id and h.id is null for update of h skip locked
    )
    delete from head h using done d where h.target = d.target and h.no = d.no;
    removed := cardinality(old);
end
$$;

-- Writes how far a job is, if this lease still holds it.
create function report(epoch bigint, id bigint, lease_no bigint, step text, rows_done bigint, rows_total bigint,
                       checkpoint jsonb)
returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
begin
    insert into progress as p (id, step, rows_done, rows_total, checkpoint)
    select l.id, step, rows_done, rows_total, checkpoint from lease l
    where l.id = report.id and l.lease_no = report.lease_no and l.epoch = report.epoch
    on conflict on constraint progress_pkey do update
    set step = excluded.step, rows_done = excluded.rows_done, rows_total = excluded.rows_total,
        checkpoint = coalesce(excluded.checkpoint, p.checkpoint), updated_at = clock_timestamp();
    if not found then
        return false;
    end if;
    if checkpoint ? 'identity' and checkpoint ? 'spreadsheet_id' then
        insert into maker (target, identity)
        values ('spreadsheet:' || left(checkpoint ->> 'spreadsheet_id', 200), checkpoint ->> 'identity')
        on conflict do nothing;
    end if;
    return true;
end
$$;

-- Remembers a folder before it is made; the first of several writers wins, and all of them get its row.
create function remember_folder(account text, parent text, name text, id text, made boolean) returns folder
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
declare
    known folder;
begin
    insert into folder as f (account, parent, name, id, made_at)
    values (account, parent, name, id, case when made then now() end)
    on conflict on constraint folder_pkey do update
    set made_at = coalesce(f.made_at, case when f.id = excluded.id then excluded.made_at end)
    returning f.* into known;
    return known;
end
$$;

create function find_folder(account text, parent text, name text) returns setof folder
language sql stable security definer set search_path from current
as $$
    select * from folder f where f.account = $1 and f.parent = $2 and f.name = $3
$$;

create function forget_folder(account text, id text) returns void
language sql security definer set search_path from current
as $$
    delete from folder f where f.account = $1 and f.id = $2
$$;

create function change_setting(name text, value text) returns void
language sql security definer set search_path from current
as $$
    update setting s set value = $2 where s.name = $1 and s.value <> $2
$$;

-- Rights: nothing for everybody, and for each role only what its work needs.
do $$
declare
    here text := current_schema;
begin
    execute format('revoke all on all functions in schema %I from public', here);
    execute format(
        'grant usage on schema %I to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator', here);
end
$$;
grant select on jobs to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function may_see_all(), cancel(bigint), retry(bigint)
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function enqueue(text, jsonb, text, timestamptz, int, text, int), enqueue_many(jsonb)
    to sheetsync_producer, sheetsync_query;
grant execute on function
    enter(bigint, text, text, int, text[]), leave(bigint), claim(bigint, int, jsonb, text, bigint[], boolean), arm(), disarm(bigint),
    finish(bigint, jsonb, boolean), beat(bigint, int, text), take_unsettled(text[], float8, timestamptz), settle(bigint, timestamptz, jsonb),
    reclaim(float8, boolean), open_forgotten(),
    remove_finished(float8, int, timestamptz), report(bigint, bigint, bigint, text, bigint, bigint, jsonb),
    remember_folder(text, text, text, text, boolean), find_folder(text, text, text), forget_folder(text, text),
    change_setting(text, text)
    to sheetsync_worker;
grant execute on function pause_queue(text), resume_queue(text) to sheetsync_operator;
grant select on kind, setting, schema_migration
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant select on job, ready, lease, head, outcome, failure, progress, cancel_request, pause, worker, folder, maker to sheetsync_operator;
-- What the daemon's own health report is read from.
grant select on ready, lease, outcome, failure, pause, worker to sheetsync_worker;
