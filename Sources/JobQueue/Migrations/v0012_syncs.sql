-- Syncs: named jobs that repeat, by a schedule and upon changes of tables.
--
-- A run of a sync is an ordinary job, whose key names the sync and the time for which it was made. Workers make due runs: the
-- database says which syncs are due, the worker reckons the time after that, and one statement, under a lock on the sync's row,
-- writes that time and inserts the job. So any number of workers makes one run, and one that dies in between has made none.

create table sync (
    name          text        collate "C" primary key,
    kind          text        collate "C" not null,
    payload       jsonb       not null,
    schedule      text,                                 -- null for none
    time_zone     text        not null,
    on_change     text[]      not null,                 -- the tables, as `sync_table` spells them
    owner         text        collate "C" not null,
    priority      smallint    not null,
    made_by       name        not null default session_user,
    made_at       timestamptz not null default now(),
    revision      int         not null default 1,       -- counts what makes a time that a worker reckoned wrong
    paused_at     timestamptz,
    paused_by     name,
    pause_reason  text,
    next_run_at   timestamptz,                          -- by the schedule; null until a worker has reckoned it
    change_due_at timestamptz,                          -- when the changes that were noted have been gathered; null for none
    -- Transactions below it may have changed the tables before the sync was made, and noted nothing; 0 until a worker takes it.
    fence         xid8,
    not_before    timestamptz,                          -- rests until then after failures
    last_job      bigint,
    last_state    text,                                 -- in which it ended
    is_open       boolean     not null default false,   -- whether the end of that job is still to be noted
    failures      int         not null default 0,       -- runs in a row that were discarded
    failing_since timestamptz,
    last_error    jsonb,                                -- {code, message}
    last_success_at timestamptz,
    last_changes  jsonb,
    goes_on_with  jsonb,                                -- the member that takes the place of others in the payloads of runs
    row_totals    jsonb       not null default '{}',    -- of all runs, by what was done with the rows
    late_at       timestamptz,                          -- when it counts as late, unless a run is completed before
    next_late_at  timestamptz,                          -- the same, once the run that was made last is completed
    -- When a worker has something to do for it.
    due_at        timestamptz generated always as (case
        when paused_at is not null or is_open then null
        when schedule is not null and next_run_at is null then coalesce(not_before, made_at)
        when coalesce(next_run_at, change_due_at) is not null then
            greatest(least(next_run_at, change_due_at), not_before) end) stored
) with (fillfactor = 50);
create index sync_due on sync (due_at) where due_at is not null;
create index sync_open on sync (last_job) where is_open;
create index sync_fenced on sync (name) where fence is not null;
create index sync_made_by on sync (made_by);

-- The tables whose changes make a sync due. By name, because a table that is loaded anew and swapped in has another oid.
create table sync_table (
    table_name text collate "C",
    sync       text collate "C",
    primary key (table_name, sync)
);
create index sync_table_sync on sync_table (sync);

-- Changes of tables that no worker has noted yet; producers only insert. An id that needs no sequence, which could lag behind.
create table sync_mark (
    id         uuid        primary key default gen_random_uuid(),
    table_name text        collate "C" not null,
    at         timestamptz not null default clock_timestamp()
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- MARK: Checks

-- The values of one cron field; null where it is none. The same grammar as in Schedule.swift.
create function cron_values(field text, lowest int, highest int, names text[] default '{}') returns int[]
language plpgsql immutable as $$
declare
    part   text;
    found  text[];
    low    int;
    high   int;
    step   int;
    chosen int[] := '{}';
begin
    foreach part in array string_to_array(field, ',') loop
        found := regexp_match(
            part, '^(?:(\*)|([0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?)(?:/([0-9]{1,2}))?$');
        if found is null or found[4] is not null and coalesce(found[1], found[3]) is null then
            return null;
        end if;
        -- Sunday is in the whole week once.
        low := case when found[1] is not null then lowest
                    when found[2] ~ '^[0-9]' then found[2]::int else array_position(names, found[2]) end;
        high := case when found[1] is not null then case highest when 7 then 6 else highest end
                     when found[3] is null then low
                     when found[3] ~ '^[0-9]' then found[3]::int else array_position(names, found[3]) end;
        if highest = 7 and high = 0 and low > 0 then
            high := 7;
        end if;
        step := coalesce(found[4]::int, 1);
        if (low between lowest and highest and high between low and highest and step between 1 and highest - lowest)
            is not true then
            return null;
        end if;
        chosen := chosen || array(select generate_series(low, high, step));
    end loop;
    return chosen;
end
$$;

-- What is wrong with a schedule, in words; null where nothing is.
create function schedule_fault(schedule text) returns text language plpgsql immutable strict as $$
declare
    fields  text[] := regexp_split_to_array(btrim(lower(schedule), E' \t'), E'[ \t]+');
    names   text[] := '{minute,hour,day of the month,month,weekday}';
    seconds bigint;
    days    int[];
    months  int[];
    week    int[];
    in_both boolean;
begin
    if octet_length(schedule) > 200 then
        return 'a schedule has at most 200 characters';
    end if;
    if fields[1] = 'every' then
        if cardinality(fields) <> 3 or fields[2] !~ '^[0-9]{1,9}$' or fields[3] !~ '^(second|minute|hour|day)s?$' then
            return 'an interval is `every N` seconds, minutes, hours or days';
        end if;
        seconds := fields[2]::bigint
            * case left(fields[3], 1) when 's' then 1 when 'm' then 60 when 'h' then 3600 else 86400 end;
        return case when seconds < 10 then 'the shortest interval is 10 seconds'
                    when seconds > 366 * 86400 then 'the longest interval is 366 days' end;
    end if;
    if cardinality(fields) <> 5 then
        return 'a schedule has five fields (minute, hour, day of the month, month, weekday) or is `every N` seconds, minutes, '
            'hours or days';
    end if;
    days := cron_values(fields[3], 1, 31);
    months := cron_values(fields[4], 1, 12, '{jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec}');
    week := array(select w % 7 from unnest(cron_values(fields[5], 0, 7, '[0:6]={sun,mon,tue,wed,thu,fri,sat}')) w);
    for place in 1..5 loop
        if (case place when 1 then cron_values(fields[1], 0, 59) is null when 2 then cron_values(fields[2], 0, 23) is null
                when 3 then days is null when 4 then months is null else week = '{}' end) then
            return format('the field %s cannot be %L: it takes *, numbers, ranges such as 1-5, steps behind * or a range such as '
                '*/2, names of months and weekdays such as mon, and commas between', names[place], fields[place]);
        end if;
    end loop;
    -- Where both day fields are limited, either counts; weekdays and leap years come round within 41 years.
    in_both := fields[3] like '*%' or fields[5] like '*%';
    if not exists (
        select from generate_series(0, 41 * 366) n cross join lateral (select date '1970-01-01' + n as day) d
        cross join lateral (
            select extract(day from d.day)::int = any (days) as by_day, extract(dow from d.day)::int = any (week) as by_week) m
        where extract(month from d.day)::int = any (months)
          and case when in_both then m.by_day and m.by_week else m.by_day or m.by_week end) then
        return 'no such day ever comes, as 30 February';
    end if;
    return null;
end
$$;

-- The names of tables as `sync_table` spells them; refuses what names no table.
create function changing_tables(tables text[]) returns text[] language plpgsql stable as $$
declare
    given text;
    parts text[];
    label text;
    found text[] := '{}';
begin
    if cardinality(tables) > 20 then
        perform raise_invalid(format('on_change names at most 20 tables, not %s', cardinality(tables)));
    end if;
    foreach given in array coalesce(tables, '{}') loop
        if given = 'sheet' then
            perform raise_invalid('on_change cannot name the sheet: only what is read from a sheet can wait for its changes, and '
                'no kind of job of this version is');
        end if;
        begin
            parts := parse_ident(given);
        exception when others then
            parts := null;
        end;
        if cardinality(parts) is distinct from 2 then
            perform raise_invalid(
                format('on_change must name tables with their schemas, such as app.orders, not %s', coalesce(quote_literal(given), 'null')));
        end if;
        label := (select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where n.nspname = parts[1] and c.relname = parts[2] and c.relkind in ('r', 'p'));
        if label is null then
            perform raise_invalid(format('on_change names %s, and this database has no such table', quote_literal(given)));
        end if;
        found := found || array(select label where label <> all (found));
    end loop;
    return found;
end
$$;

-- The sync of a name, locked; refuses one that the caller may not see.
create function require_sync(name text) returns sync language plpgsql as $$
declare
    one sync;
begin
    select s.* into one from sync s
    where s.name = require_sync.name and (s.made_by = session_user or may_see_all()) for update;
    if not found then
        perform raise_invalid(format('there is no sync %s that this login may see', coalesce(quote_literal(name), 'null')));
    end if;
    return one;
end
$$;

-- Tells the workers that a sync was made or changed; what it lacks they find by looking.
create function notify_syncs() returns void language plpgsql as $$
begin
    if current_setting('sheetsync.notify', true) is distinct from 'off' then
        perform try_notify('sheetsync_sync', '');
    end if;
end
$$;

-- MARK: What producers and operators call

-- Makes a sync, or changes it. What stays the same goes on as it was: to call it with each start of a server costs nothing.
create function put_sync(name text, kind text, payload jsonb, schedule text default null, time_zone text default 'UTC',
                         on_change text[] default null, owner text default '', priority int default 5) returns void
language plpgsql security definer as $$
#variable_conflict use_variable
declare
    rules  kind   := require_kind(kind);
    tables text[] := changing_tables(on_change);
    bytes  int    := octet_length(payload::text);
    before sync;
    fault  text;
begin
    fault := case
        when (length(name) between 1 and 100) is not true then 'the name of a sync has from 1 to 100 characters'
        when name || coalesce(owner, '') ~ '[\u0001-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]' then
            'name and owner must not contain control characters'
        when jsonb_typeof(payload) is distinct from 'object' then
            format('the payload must be a JSON object, not %s', coalesce(jsonb_typeof(payload), 'null'))
        when bytes > rules.max_payload_bytes then
            format('the payload has %s bytes, more than the limit of %s', bytes, rules.max_payload_bytes)
        when case jsonb_typeof(payload -> 'debounce') when 'number' then (payload -> 'debounce')::numeric not between 0 and 3600
                  else payload ? 'debounce' end then
            'debounce must be a number of seconds from 0 to 3600'
        when (priority between 0 and 9) is not true then
            format('the priority must be from 0 (first) to 9 (last), not %s', coalesce(priority::text, 'null'))
        when (length(owner) <= 200) is not true then 'owner must be a text of at most 200 characters'
        else schedule_fault(schedule) end;
    if fault is not null then
        perform raise_invalid(fault);
    end if;
    if rules.restricted is not null then
        perform check_role(rules, payload);
    end if;
    select s.* into before from sync s where s.name = put_sync.name for update;
    -- The zones are files of the server, which a look at all of them reads.
    if time_zone is distinct from 'UTC' and time_zone is distinct from coalesce(before.time_zone, '')
        and not exists (select from pg_timezone_names z where z.name = time_zone) then
        perform raise_invalid(
            format('there is no time zone %s; expected one such as Europe/Berlin or UTC', coalesce(quote_literal(time_zone), 'null')));
    end if;
    if before.name is null then
        if (select count(*) from sync s where s.made_by = session_user) >= 1000 then
            perform raise_invalid(format('the login %s has 1000 syncs, which is the most', session_user), code => '53400');
        end if;
        insert into sync (name, kind, payload, schedule, time_zone, on_change, owner, priority, change_due_at, fence)
        values (name, kind, payload, schedule, time_zone, tables, owner, priority,
                case when tables <> '{}' then now() + interval '5 seconds' end, case when tables <> '{}' then '0'::xid8 end)
        on conflict on constraint sync_pkey do nothing;
        if not found then
            -- Another transaction has made it just now.
            raise exception 'the sync % was made by another transaction at the same time: try again', quote_literal(name)
                using errcode = '40001';
        end if;
    elsif before.made_by <> session_user and not may_see_all() then
        perform raise_invalid(format('the sync %s belongs to another login', quote_literal(name)), code => '42501');
    elsif (before.kind, before.payload, before.schedule, before.time_zone, before.on_change, before.owner, before.priority)
        is distinct from (kind, payload, schedule, time_zone, tables, owner, priority::smallint) then
        update sync s
        set kind = kind, payload = payload, schedule = schedule, time_zone = time_zone, on_change = tables, owner = owner,
            priority = priority, failures = 0, not_before = null,
            goes_on_with = case when s.kind = kind and not exists (
                select from kind k cross join unnest(k.goes_on_without) m
                where k.name = s.kind and s.payload -> m is distinct from payload -> m) then s.goes_on_with end,
            change_due_at = case when tables = '{}' then null
                when (s.kind, s.payload, s.on_change) is distinct from (kind, payload, tables)
                    then least(s.change_due_at, now() + interval '5 seconds')
                else s.change_due_at end,
            fence = case when tables = '{}' then null
                when (s.kind, s.payload, s.on_change) is distinct from (kind, payload, tables) then '0' else s.fence end
        where s.name = put_sync.name;
        if (before.schedule, before.time_zone) is distinct from (schedule, time_zone) then
            perform forget_times(name);
        end if;
        delete from sync_table t where t.sync = name;
    else
        return;
    end if;
    insert into sync_table (table_name, sync) select t, name from unnest(tables) t;
    perform notify_syncs();
end
$$;

-- Lets the workers reckon the times of a sync anew.
create function forget_times(name text) returns void language sql as $$
    update sync s set next_run_at = null, late_at = null, next_late_at = null, revision = s.revision + 1 where s.name = $1
$$;

-- Whether a job waits or runs.
create function is_unfinished(id bigint) returns boolean language sql stable as $$
    select exists (select from ready r where r.id = $1) or exists (select from lease l where l.id = $1)
$$;

-- The payload of a sync's runs.
create function run_payload(s sync) returns jsonb language sql stable as $$
    select case when s.goes_on_with is null then s.payload - 'debounce'
                else s.payload - 'debounce' - k.goes_on_without || s.goes_on_with end
    from kind k where k.name = s.kind
$$;

-- Inserts a run of a sync and returns the job's number; null where the job of that time has been there before.
create function insert_run(s sync, slot text, flags jsonb default '{}') returns bigint language plpgsql as $$
declare
    key text := format('sync:%s@%s', s.name, slot);
begin
    if exists (select from job j where j.enqueued_by = s.made_by and j.idempotency_key = key) then
        return null;
    end if;
    return insert_job(nextval('job_id_seq'), s.kind, run_payload(s) || flags, key, null, s.priority, s.owner, 10,
                      s.made_by, s.name);
end
$$;

-- Makes a run now, also of a paused sync, and returns its job's number. Where a run waits, that is the one, which begins now; where
-- one runs, that is the one, and another follows it.
create function run_sync(name text, allow_deletes boolean default false, from_scratch boolean default false) returns bigint
language plpgsql security definer as $$
#variable_conflict use_variable
declare
    one     sync  := require_sync(name);
    flags   jsonb := case when allow_deletes then '{"allow_deletes": true}' else '{}' end::jsonb
        || case when from_scratch then '{"from_scratch": true}' else '{}' end::jsonb;
    waiting record;
    id      bigint;
begin
    if one.is_open and is_unfinished(one.last_job) then
        id := one.last_job;
        -- No claim takes what is locked here.
        select r.redelivered into waiting from ready r where r.id = id for update skip locked;
        if found and (flags = '{}' or not waiting.redelivered) then
            if flags <> '{}' then
                update job j set payload = j.payload || flags where j.id = id;
            end if;
            update ready r set state = case when r.losses >= 2 then 'isolated' else 'available' end, run_at = now()
            where r.id = id and r.state = 'scheduled';
            perform notify_workers();
        elsif flags <> '{}' then
            perform raise_invalid(
                format('job %s of the sync %s has begun and cannot take this along any more', id, quote_literal(name)),
                format('Try again when it has ended, or cancel it: select sheetsync.cancel(%s).', id), '55006');
        else
            update sync s set change_due_at = least(s.change_due_at, now()) where s.name = run_sync.name;
        end if;
        return id;
    end if;
    id := insert_run(one, to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), flags);
    update sync s
    set last_job = id, last_state = null, is_open = true, change_due_at = null where s.name = run_sync.name;
    if one.made_by = session_user then
        perform check_waiting();
    end if;
    perform notify_workers();
    return id;
end
$$;

-- Makes no more runs by itself until it is resumed; a run that waits or runs goes on. True: there is such a sync.
create function pause_sync(name text, reason text default null) returns boolean language plpgsql security definer as $$
#variable_conflict use_variable
begin
    if length(reason) > 500 then
        perform raise_invalid('the reason has at most 500 characters');
    end if;
    update sync s
    set paused_at = coalesce(s.paused_at, now()), paused_by = session_user, pause_reason = reason
    where s.name = pause_sync.name and (s.made_by = session_user or may_see_all());
    return found;
end
$$;

-- Makes runs again, from the next time of the schedule on; changes of tables in the meantime are made up. True: there is such a sync.
create function resume_sync(name text) returns boolean language plpgsql security definer as $$
#variable_conflict use_variable
begin
    if not exists (select from sync s where s.name = resume_sync.name and (s.made_by = session_user or may_see_all())) then
        return false;
    end if;
    update sync s set paused_at = null, paused_by = null, pause_reason = null, not_before = null, failures = 0
    where s.name = resume_sync.name and s.paused_at is not null;
    if found then
        perform forget_times(name);
        perform notify_syncs();
    end if;
    return true;
end
$$;

-- Forgets a sync, and cancels its run where that has not begun. True: there was such a sync.
create function drop_sync(name text) returns boolean language plpgsql security definer as $$
#variable_conflict use_variable
declare
    run bigint;
begin
    delete from sync s where s.name = drop_sync.name and (s.made_by = session_user or may_see_all())
    returning case when s.is_open then s.last_job end into run;
    if not found then
        return false;
    end if;
    delete from sync_table t where t.sync = name;
    perform cancel_waiting(array[run]);
    return true;
end
$$;

-- Makes a run that somebody retries the open run of its sync; false where that has another one.
create function reopen_run(id bigint) returns boolean language plpgsql as $$
declare
    one sync;
begin
    select s.* into one from job j join sync s on s.name = j.sync where j.id = reopen_run.id for update of s;
    if one.is_open and one.last_job <> id and is_unfinished(one.last_job) then
        return false;
    end if;
    update sync s set last_job = reopen_run.id, last_state = null, is_open = true where s.name = one.name;
    return true;
end
$$;

-- MARK: Changes of tables

-- Notes that a statement changed a table that some sync follows: one row a transaction and table. Whatever happens here, the statement
-- goes on. It neither waits nor notifies: a notification cannot be prepared for two-phase commit, and makes commits wait for each
-- other.
create function note_change() returns trigger language plpgsql security definer as $$
begin
    -- The second condition is of the transaction: whether it has left that row already.
    if exists (select from sync_table t where t.table_name = format('%I.%I', tg_table_schema, tg_table_name))
        and position(format(',%s,', tg_relid) in coalesce(current_setting('sheetsync.noted', true), '')) = 0 then
        insert into sync_mark (table_name) values (format('%I.%I', tg_table_schema, tg_table_name));
        perform set_config('sheetsync.noted', format('%s,%s,', current_setting('sheetsync.noted', true), tg_relid), true);
    end if;
    return null;
exception when others then
    raise warning 'sheetsync could not note a change of %, so its syncs run by their schedules only: %',
        format('%I.%I', tg_table_schema, tg_table_name), sqlerrm;
    return null;
end
$$;

-- Whether a table of `sync_table` has the trigger that notes its changes.
create function is_watched(label text) returns boolean language sql stable security definer as $$
    select exists (
        select from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_trigger t on t.tgrelid = c.oid
        where n.nspname = (parse_ident(label))[1] and c.relname = (parse_ident(label))[2]
          and t.tgfoid = 'note_change()'::regprocedure and t.tgenabled <> 'D')
$$;

-- Lets the changes of a table make the syncs due that name it in `on_change`. By the table's owner, as whom it runs.
create function watch(table_name regclass) returns void language plpgsql set search_path from current as $$
declare
    owner name;
    kind  "char";
    label text;
begin
    select pg_get_userbyid(c.relowner), case when n.nspname <> current_schema and c.relpersistence <> 't' then c.relkind end,
           format('%I.%I', n.nspname, c.relname)
    into owner, kind, label
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = table_name;
    if (kind in ('r', 'p')) is not true then
        raise exception '% is no table whose changes can be watched', coalesce(label, 'null') using errcode = '22023';
    elsif not pg_has_role(owner, 'usage') then
        raise exception 'only the owner of %, which is %, may let it be watched', label, owner using errcode = '42501';
    end if;
    execute format('create or replace trigger sheetsync_watch after insert or update or delete or truncate on %s for each statement '
                   'execute function %I.note_change()', label, current_schema);
end
$$;

-- Takes the trigger away again. True: there was one.
create function unwatch(table_name regclass) returns boolean language plpgsql set search_path from current as $$
begin
    if not exists (select from pg_trigger t where t.tgrelid = table_name and t.tgname = 'sheetsync_watch') then
        return false;
    end if;
    execute format('drop trigger sheetsync_watch on %s', (
        select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.oid = table_name));
    return true;
end
$$;

-- Makes the syncs due whose tables have changed, and takes the marks away. Where somebody has a sync locked, the marks of its tables
-- stay for the next time.
create function gather_changes() returns void language plpgsql as $$
declare
    tables text[] := array(select distinct m.table_name from sync_mark m);
    locked text[] := array(
        select s.name from sync s
        where s.name = any (array(select t.sync from sync_table t where t.table_name = any (tables)))
        order by s.name for update skip locked);
    -- A statement of its own: a sync that was made in between is due by itself.
    held   text[] := array(
        select t.table_name from sync_table t where t.table_name = any (tables) and t.sync <> all (locked));
begin
    with taken as (
        delete from sync_mark m where m.id = any (array(
            select x.id from sync_mark x where x.table_name = any (tables) and x.table_name <> all (held)
            limit 20000 for update skip locked))
        returning m.table_name, m.at
    ), changed as materialized (
        select t.sync, min(k.at) as at from taken k join sync_table t on t.table_name = k.table_name group by t.sync
    )
    update sync s
    set change_due_at = least(s.change_due_at,
                              c.at + make_interval(secs => coalesce((s.payload ->> 'debounce')::float8, 2)))
    from changed c where s.name = c.sync and s.name = any (locked);
end
$$;

-- Makes a sync due that is new to its tables, when all transactions have ended that may have changed them without a mark; until then,
-- after five seconds, it runs once without them.
create function pass_fences() returns void language plpgsql as $$
begin
    update sync s
    set fence = case s.fence when '0' then pg_snapshot_xmax(pg_current_snapshot()) end,
        change_due_at = case s.fence when '0' then s.change_due_at else least(s.change_due_at, now()) end
    where s.name = any (array(
        select x.name from sync x
        where x.fence is not null and (x.fence = '0' or x.fence <= pg_snapshot_xmin(pg_current_snapshot()))
        for update skip locked));
end
$$;

-- MARK: What workers call

-- What runs did with rows, by the members of their results: the sum over the sheets of an export, or an import's own; null where a
-- result has none. Its body is bound to its names here, because the view runs it with the search_path of whoever reads.
create function changes_of(result jsonb) returns jsonb language sql immutable
return case
    when jsonb_path_exists(result, 'lax $.sheets[*].changes ? (@.type() == "object")') then (
        select jsonb_object_agg(x.key, x.total)
        from (select c.key, sum(c.value::numeric) as total
              from jsonb_path_query(result, 'lax $.sheets[*].changes ? (@.type() == "object")') s(changes)
              cross join lateral jsonb_each(s.changes) c
              where jsonb_typeof(c.value) = 'number' group by c.key) x)
    when result ?| array['inserted', 'updated', 'deleted'] then (
        select jsonb_object_agg(m.key, m.value) from jsonb_each(result) m
        where m.key in ('inserted', 'updated', 'deleted', 'unchanged', 'rejected') and jsonb_typeof(m.value) = 'number') end;

-- The error of a job's last failed attempt, as {code, message}.
create function last_error(job_id bigint) returns jsonb language sql stable as $$
    select jsonb_build_object('code', e.error ->> 'code', 'message', e.error ->> 'message')
    from attempt_error e where e.job_id = $1 order by e.number desc limit 1
$$;

-- Notes how the runs of syncs ended. A sync whose runs fail is never switched off: from the fifth failure in a row on it runs once an
-- hour, and what a change made due is due again.
create function settle_runs() returns void language plpgsql as $$
begin
    with ended as materialized (
        select s.name, s.last_job as id, o.state, o.finalized_at, changes_of(o.result) as changes,
               case when s.goes_on_with is null and s.payload @? k.goes_on_when
                    then jsonb_build_object(k.target_path[1], o.result #> k.target_path) end as goes_on_with
        from sync s join kind k on k.name = s.kind left join outcome o on o.id = s.last_job
        where s.is_open and (o.id is not null or not is_unfinished(s.last_job))
        limit 1000 for update of s skip locked
    )
    update sync s
    set is_open = false, last_state = coalesce(e.state, s.last_state),
        failures = case e.state when 'completed' then 0 when 'discarded' then s.failures + 1 else s.failures end,
        failing_since = case e.state when 'completed' then null when 'discarded' then coalesce(s.failing_since, e.finalized_at)
            else s.failing_since end,
        last_error = case e.state when 'completed' then null when 'discarded' then last_error(e.id) else s.last_error end,
        last_success_at = case e.state when 'completed' then e.finalized_at else s.last_success_at end,
        last_changes = case e.state when 'completed' then e.changes else s.last_changes end,
        goes_on_with = coalesce(case e.state when 'completed' then e.goes_on_with end, s.goes_on_with),
        row_totals = case when e.state = 'completed' and e.changes is not null then s.row_totals || (
            select jsonb_object_agg(c.key, c.value::numeric + coalesce((s.row_totals ->> c.key)::numeric, 0))
            from jsonb_each(e.changes) c) else s.row_totals end,
        late_at = case e.state when 'completed' then s.next_late_at else s.late_at end,
        not_before = case when e.state = 'discarded' and s.failures >= 4 then e.finalized_at + interval '1 hour'
            when e.state = 'completed' then null else s.not_before end,
        change_due_at = case when e.state = 'discarded' and s.on_change <> '{}'
            then least(s.change_due_at, e.finalized_at + interval '5 minutes') else s.change_due_at end
    from ended e where s.name = e.name;
end
$$;

-- What is to be done for syncs now: `due` are those that need a run, or the time of the next one, with their schedules; `wait` are the
-- seconds until the next one will be, null for none; `is_waiting` tells whether a change or the end of a run may come at any moment.
-- Times are seconds since 1970.
create function look_at_syncs(most int) returns jsonb language plpgsql security definer as $$
begin
    if exists (select from sync s where s.is_open) then
        perform settle_runs();
    end if;
    if exists (select from sync_mark) then
        perform gather_changes();
    end if;
    if exists (select from sync s where s.fence is not null) then
        perform pass_fences();
    end if;
    return jsonb_build_object(
        'now', extract(epoch from now()),
        'due', (select coalesce(jsonb_agg(jsonb_build_object('name', d.name, 'revision', d.revision, 'schedule', d.schedule,
                                                             'time_zone', d.time_zone) order by d.due_at), '[]')
                from (select * from sync s where s.due_at <= now() order by s.due_at limit most) d),
        'wait', (select extract(epoch from s.due_at - now()) from sync s where s.due_at > now() order by s.due_at limit 1),
        'is_waiting', exists (select from sync_table) or exists (select from sync s where s.is_open));
end
$$;

-- Makes the run of a sync that is due, and writes the time of the next one and when that would be late, as the worker reckoned them by
-- the schedule; null without one. Returns the job's number, 0 where there was nothing to do but to write the time, and null where there
-- was nothing to do any more. A time that was missed is made up by one run.
create function run_due_sync(name text, revision int, next_run_at float8, late_at float8) returns bigint
language plpgsql security definer as $$
#variable_conflict use_variable
declare
    next      timestamptz := to_timestamp(next_run_at);
    next_late timestamptz := to_timestamp(late_at);
    one       sync;
    scheduled boolean;
    slot      timestamptz;
    id        bigint;
    refusal   jsonb;
begin
    select s.* into one from sync s
    where s.name = run_due_sync.name and s.revision = run_due_sync.revision and s.due_at <= now() for update skip locked;
    if not found then
        return null;
    end if;
    if one.schedule is not null and one.next_run_at is null then
        -- Whoever could not read the schedule before can now.
        update sync s
        set next_run_at = next, late_at = least(s.late_at, next_late), next_late_at = next_late, not_before = null,
            failing_since = case when s.last_error ->> 'code' = 'sync.schedule_unreadable' then null else s.failing_since end,
            last_error = case when s.last_error ->> 'code' = 'sync.schedule_unreadable' then null else s.last_error end
        where s.name = run_due_sync.name;
        return 0;
    end if;
    scheduled := coalesce(one.next_run_at <= now(), false);
    slot := case when scheduled then one.next_run_at else one.change_due_at end;
    begin
        id := insert_run(one, to_char(slot at time zone 'UTC', case when scheduled then 'YYYY-MM-DD"T"HH24:MI:SS"Z"'
                                                                    else 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' end));
        perform notify_workers();
    exception when others then
        -- Its login has lost a role or is gone, or the payload is too large by now.
        if left(sqlstate, 2) in ('40', '53', '55', '57', '58', 'XX') then
            raise;
        end if;
        refusal := jsonb_build_object('code', 'sync.run_refused', 'message', sqlerrm);
    end;
    update sync s
    set next_run_at = case when scheduled then next else s.next_run_at end,
        next_late_at = case when scheduled then next_late else s.next_late_at end,
        -- A change is to be in the sheet five minutes later.
        late_at = case when scheduled then s.late_at else least(s.late_at, now() + interval '5 minutes') end,
        change_due_at = case when refusal is not null and s.on_change <> '{}' then now() + interval '5 minutes' end,
        last_job = coalesce(id, s.last_job), last_state = case when id is null then s.last_state end, is_open = id is not null,
        failures = s.failures + (refusal is not null)::int,
        failing_since = case when refusal is not null then coalesce(s.failing_since, now()) else s.failing_since end,
        last_error = coalesce(refusal, s.last_error),
        not_before = case when refusal is not null and s.failures >= 4 then now() + interval '1 hour' end
    where s.name = run_due_sync.name;
    return coalesce(id, 0);
end
$$;

-- Says why a worker cannot reckon the times of a sync; it tries again a minute later.
create function refuse_schedule(name text, revision int, message text) returns void language plpgsql security definer as $$
#variable_conflict use_variable
begin
    update sync s
    set not_before = now() + interval '1 minute', failing_since = coalesce(s.failing_since, now()),
        last_error = jsonb_build_object('code', 'sync.schedule_unreadable', 'message', message)
    where s.name = any (array(
        select x.name from sync x where x.name = refuse_schedule.name and x.revision = refuse_schedule.revision
        for update skip locked));
end
$$;

-- MARK: Views

-- One row a sync that the reader may see. The last job's end is shown at once, also before a worker has noted it.
create view syncs with (security_barrier) as
select s.name, s.kind, s.payload, s.schedule, s.time_zone, nullif(s.on_change, '{}') as on_change, s.owner,
       case when s.paused_at is null then 'active' else 'paused' end as state, s.pause_reason,
       case when s.paused_at is null then case when coalesce(s.next_run_at, s.change_due_at) is not null
           then greatest(least(s.next_run_at, s.change_due_at), s.not_before) end end as next_run_at,
       s.last_job, coalesce((select j.state from jobs j where j.id = s.last_job), s.last_state) as last_state,
       case o.state when 'completed' then o.finalized_at else s.last_success_at end as last_success_at,
       case o.state when 'completed' then changes_of(o.result) else s.last_changes end as last_changes,
       case o.state when 'completed' then null when 'discarded' then coalesce(s.failing_since, o.finalized_at)
           else s.failing_since end as failing_since,
       case o.state when 'completed' then null
           when 'discarded' then (
               select jsonb_build_object('code', e.error ->> 'code', 'message', e.error ->> 'message')
               from attempt_error e where e.job_id = o.id order by e.number desc limit 1)
           else s.last_error end as last_error,
       s.priority, s.made_by
from sync s left join outcome o on s.is_open and o.id = s.last_job
where s.made_by = session_user or (select may_see_all());

-- How the syncs are, for `sheetsync status` and the metrics: the first thousand, those that fail or are late first.
create view report_sync as
select x.*
from (select s.name, s.state, s.last_job, s.last_error ->> 'code' as code, s.last_error ->> 'message' as message,
             case when s.state = 'active' then extract(epoch from clock_timestamp() - s.failing_since) end as failing_for,
             extract(epoch from clock_timestamp() - coalesce(s.last_success_at, y.made_at)) as age,
             s.last_success_at is not null as has_succeeded,
             case when s.state = 'active' and s.last_success_at is not distinct from y.last_success_at
                  then extract(epoch from clock_timestamp() - least(y.late_at, y.change_due_at + interval '5 minutes')) end
                 as late_for,
             extract(epoch from s.next_run_at - clock_timestamp()) as next_in, y.row_totals,
             case when s.state = 'active' and s.on_change is not null
                  then (select min(t) from unnest(s.on_change) t where not is_watched(t)) end as unwatched
      from syncs s join sync y on y.name = s.name) x
order by x.failing_for is null, coalesce(x.late_for, -1) <= 0, x.failing_for desc, x.late_for desc, x.name limit 1000;

select secure_functions();
-- It runs with each statement that changes a watched table: it has no settings that it can do without, and waits for no lock for long.
alter function note_change() reset all;
do $$
begin
    execute format('alter function note_change() set search_path = %I, pg_temp set lock_timeout = ''1s''', current_schema);
end
$$;

grant select on syncs to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function changes_of(jsonb) to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function put_sync(text, text, jsonb, text, text, text[], text, int), note_change(), watch(regclass), unwatch(regclass)
    to sheetsync_producer, sheetsync_query;
grant execute on function run_sync(text, boolean, boolean), pause_sync(text, text), resume_sync(text), drop_sync(text)
    to sheetsync_producer, sheetsync_query, sheetsync_operator;
grant execute on function look_at_syncs(int), run_due_sync(text, int, float8, float8), refuse_schedule(text, int, text)
    to sheetsync_worker;
grant execute on function is_watched(text) to sheetsync_worker, sheetsync_operator;
grant select on report_sync to sheetsync_worker, sheetsync_operator;
grant select on sync, sync_table, sync_mark to sheetsync_operator;
