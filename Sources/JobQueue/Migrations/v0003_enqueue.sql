-- The producer's side.

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

create function known_kinds() returns text
language sql stable
as $$
    select 'The kinds are ' || string_agg(k.name, ', ' order by k.name) || '.' from kind k
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
        when 'kind' then known_kinds()
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
