-- The producer's side. Enqueue reads nothing that other producers write, so that SERIALIZABLE transactions do not conflict;
-- of a login with a ceiling on its waiting jobs it reads those that the same login wrote.

create function raise_invalid(message text, hint text default null, code text default '22023') returns void
language plpgsql as $$
begin
    if coalesce(hint, '') = '' then
        raise exception using message = message, errcode = code;
    end if;
    raise exception using message = message, errcode = code, hint = hint;
end
$$;

-- The rules of a kind; refuses a name that is none.
create function require_kind(name text) returns kind language plpgsql stable as $$
declare
    rules kind;
begin
    select k.* into rules from kind k where k.name = require_kind.name;
    if not found then
        perform raise_invalid(
            format('unknown kind of job: %s', coalesce(quote_literal(name), 'null')),
            (select 'The kinds are ' || string_agg(k.name, ', ' order by k.name) || '.' from kind k));
    end if;
    return rules;
end
$$;

-- Refuses a payload that only members of a role may enqueue.
create function check_role(rules kind, payload jsonb, login name default session_user) returns void
language plpgsql stable as $$
begin
    if jsonb_path_exists(payload, rules.restricted)
        and not pg_has_role(login, rules.restricted_to, 'member')
        and not pg_has_role(login, 'sheetsync_owner', 'member') then
        perform raise_invalid(
            format('the login %s may not enqueue this payload: only members of %s may', login, rules.restricted_to),
            case rules.restricted_to when 'sheetsync_operator' then 'An operator can enqueue it.'
                else format('An administrator can allow it: grant %I to %I.', rules.restricted_to, login) end, '42501');
    end if;
end
$$;

-- Whether more than so many jobs of a login wait.
create function waits_beyond(login text, most int) returns boolean language sql stable as $$
    select exists (
        select from (
            (select from kind k cross join lateral (
                select from ready r where r.state = 'available' and r.kind = k.name and r.enqueued_by = $1
                limit $2 + 1) available)
            union all
            (select from ready r where r.state <> 'available' and r.enqueued_by = $1 limit $2 + 1)) waiting
        offset $2)
$$;

-- Refuses what the caller has just enqueued, where more jobs of its login wait now than may. Transactions that run at the same
-- time do not see each other's jobs, so that together they may get beyond the ceiling.
create function check_waiting() returns void language plpgsql as $$
declare
    most int := (select l.waiting from login_limit l where l.login = session_user);
begin
    if most is not null and waits_beyond(session_user, most) then
        perform raise_invalid(
            format('the login %s may have %s jobs waiting, and this would be more; nothing was changed', session_user, most),
            'Try again when some have run. An operator sets the ceiling by sheetsync.limit_login.', '53400');
    end if;
end
$$;

-- Makes a job under an id; returns the id of the job that has the key where that is another one. Refuses what a job must not
-- be; of a payload only its size and kind are checked, and its role. The job is the login's, whoever calls; `sync` names the sync
-- that it is a run of.
create function insert_job(id bigint, kind text, payload jsonb, key text, run_at timestamptz, priority int, owner text,
                           max_attempts int, login name default session_user, sync text default null) returns bigint
language plpgsql as $$
#variable_conflict use_variable
declare
    rules  kind        := require_kind(kind);
    -- A time in the past is no way past the jobs that already wait.
    due    timestamptz := greatest(run_at, now());
    bytes  int         := octet_length(payload::text);
    fault  text;
    digest text;
    target text;
    known  record;
begin
    fault := case
        when jsonb_typeof(payload) is distinct from 'object' then
            format('the payload must be a JSON object, not %s', coalesce(jsonb_typeof(payload), 'null'))
        when bytes > rules.max_payload_bytes then
            format('the payload has %s bytes, more than the limit of %s', bytes, rules.max_payload_bytes)
        when (priority between 0 and 9) is not true then
            format('the priority must be from 0 (first) to 9 (last), not %s', coalesce(priority::text, 'null'))
        when (max_attempts between 1 and 100) is not true then
            format('max_attempts must be from 1 to 100, not %s', coalesce(max_attempts::text, 'null'))
        when (length(owner) <= 200) is not true then 'owner must be a text of at most 200 characters'
        when length(key) not between 1 and 200 then
            format('idempotency_key must have from 1 to 200 characters, not %s', length(key))
        -- On a terminal these, and those that turn the direction of writing, would hide what stands there.
        when owner || coalesce(key, '') ~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]' then
            'owner and idempotency_key must not contain control characters'
        when not isfinite(run_at) then format('run_at must be a point in time, not %s', run_at) end;
    if fault is not null then
        perform raise_invalid(
            fault, case when bytes > rules.max_payload_bytes then 'MAX_CONTENT_SIZE_MB of the daemon sets the limit.' end);
    end if;
    if rules.restricted is not null then
        perform check_role(rules, payload, login);
    end if;
    priority := greatest(priority, (select l.best_priority from login_limit l where l.login = insert_job.login));
    if jsonb_typeof(payload #> rules.target_path) = 'string' then
        -- Cut, because an index takes no text of any length.
        target := rules.target_name || ':' || nullif(left(payload #>> rules.target_path, 200), '');
    end if;
    if key is not null then
        -- Of the payload's value, for which 1.0 and 1.00 are the same: its text without the digits, and the hash of its numbers.
        digest := encode(sha256(convert_to(regexp_replace(payload::text, '\d+(\.\d+)?', '0', 'g'), 'UTF8')), 'hex')
            || to_hex(jsonb_hash_extended(payload, 0)) || to_hex(jsonb_hash_extended(payload, 1));
    end if;
    insert into job (id, kind, priority, max_attempts, owner, enqueued_by, target, idempotency_key, payload_digest, payload,
                     payload_bytes, scheduled_at, sync)
    values (id, kind, priority, max_attempts, owner, login, target, key, digest, payload, bytes, due, sync)
    on conflict (enqueued_by, idempotency_key) where idempotency_key is not null do nothing;
    if found then
        -- Available, whatever runs on its target: to find that out would need a lock that others wait for.
        insert into ready (id, kind, enqueued_by, priority, owner, target, state, run_at)
        values (id, kind, login, priority, owner, target,
                case when due > now() then 'scheduled' else 'available' end, due);
        return id;
    end if;
    select j.id, j.kind, j.payload_digest into known from job j
    where j.enqueued_by = login and j.idempotency_key = key;
    if not found then
        -- Another transaction made it after this one's snapshot (repeatable read or serializable): try again.
        raise exception 'the idempotency key was used by a transaction that this one cannot see yet' using errcode = '40001';
    elsif (known.kind, known.payload_digest) <> (kind, digest) then
        perform raise_invalid(
            format('the idempotency key belongs to job %s, which has another kind or payload', known.id),
            'Use a new key for a new job.');
    end if;
    return known.id;
end
$$;

create function enqueue(kind text, payload jsonb, idempotency_key text default null, run_at timestamptz default null,
                        priority int default 5, owner text default '', max_attempts int default 10) returns bigint
language plpgsql security definer as $$
declare
    fresh bigint := nextval('job_id_seq');
    id    bigint := insert_job(fresh, kind, payload, idempotency_key, run_at, priority, owner, max_attempts);
begin
    if id = fresh then
        perform check_waiting();
    end if;
    perform notify_workers();
    return id;
end
$$;

-- Enqueues an array of objects with the members that `enqueue` has as parameters.
create function enqueue_many(jobs jsonb) returns table (ordinality bigint, id bigint, created boolean)
language plpgsql security definer as $$
#variable_conflict use_column
declare
    element record;
    place   bigint;                             -- of the element that is being enqueued
    fresh   bigint[];                           -- in the order of the array, so that a target's jobs run in that order
    ids     bigint[] := '{}';
    wrong   text;
    hint    text;
begin
    if jsonb_typeof(jobs) is distinct from 'array' then
        perform raise_invalid(format('jobs must be a JSON array of objects, not %s', coalesce(jsonb_typeof(jobs), 'null')));
    end if;
    fresh := array(select nextval('job_id_seq') from generate_series(1, jsonb_array_length(jobs)));
    -- In the order of the keys, so that two callers with the same keys cannot wait for each other.
    for element in
        select e.job, e.place from jsonb_array_elements(jobs) with ordinality e(job, place)
        order by (e.job ->> 'idempotency_key') collate "C" nulls first, e.place
    loop
        place := element.place;
        if jsonb_typeof(element.job) <> 'object' then
            perform raise_invalid(format('it must be a JSON object, not %s', jsonb_typeof(element.job)));
        end if;
        select case when f.key in ('kind', 'payload', 'idempotency_key', 'run_at', 'priority', 'owner', 'max_attempts')
            then format('the field %L must be a text or a number', f.key) else format('the field %L is unknown', f.key) end
        into wrong from jsonb_each(element.job - 'payload') f
        where f.key not in ('kind', 'idempotency_key', 'run_at', 'priority', 'owner', 'max_attempts')
            or jsonb_typeof(f.value) in ('object', 'array') limit 1;
        if found then
            perform raise_invalid(wrong);
        end if;
        ids[place] := insert_job(
            fresh[place], element.job ->> 'kind', element.job -> 'payload', element.job ->> 'idempotency_key',
            (element.job ->> 'run_at')::timestamptz, coalesce((element.job ->> 'priority')::int, 5),
            coalesce(element.job ->> 'owner', ''), coalesce((element.job ->> 'max_attempts')::int, 10));
    end loop;
    if exists (select from unnest(ids, fresh) u(id, fresh) where u.id = u.fresh) then
        perform check_waiting();
    end if;
    perform notify_workers();
    return query select u.place, u.id, u.id = u.fresh from unnest(ids, fresh) with ordinality u(id, fresh, place);
exception when data_exception or insufficient_privilege then
    get stacked diagnostics hint = pg_exception_hint;
    perform raise_invalid(
        case when place is null then sqlerrm else format('jobs[%s]: %s', place - 1, sqlerrm) end, hint,
        case sqlstate when '42501' then sqlstate else '22023' end);
end
$$;
