-- Google's quotas and its troubles, shared by all workers of an installation.
--
-- Google counts in windows that follow each other, and says when one began in the refusals of calls; until then they are
-- taken to begin at multiples of their length. A window's calls are spread over it, as slots at equal distances: a queue
-- that is full uses them all, and Google never sees a crowd. Whatever begins when, any stretch of a window's length then
-- holds about as many. Slots that nobody needed may be caught up within their window.

-- Each grant takes a new number, so that a quota's row lies above the dead ones that were before it, as in head.
create sequence quota_no;
create table quota (
    name         text             not null,     -- what is counted and for whom, such as sheets_writes/project
    no           bigint           not null default nextval('quota_no'),
    configured   int              not null,     -- calls a window by the settings
    span         interval         not null,     -- the window's length
    begins       double precision not null default 0, -- how many seconds after a multiple of its length it begins
    number       bigint           not null default 0, -- the window that `used` belongs to, counted since 1970
    used         int              not null default 0, -- what was granted of it to some worker, and may be in use
    learned      int,                           -- the lower figure that Google named when it refused a call
    learned_at   timestamptz,
    closed_until timestamptz,                   -- the end of the window in which it refused
    primary key (name, no)
);

-- The row of a quota. In SQL, which becomes a part of the statement that calls it. Whoever locks or changes the row takes
-- it from this number on, because a grant may give it a higher one meanwhile.
create function quota_of(name text) returns setof quota
language sql stable
as $$
    select * from quota q where q.name = $1 order by q.no desc limit 1
$$;

-- A service of Google's that fails, or an identity that it refuses; claims of what needs it wait.
create table breaker (
    name   text primary key,
    reason text        not null,
    since  timestamptz not null default now(),
    until  timestamptz not null                 -- when it is tried again
);

-- A quota at a moment: the window's number, what is allowed and used of it, how many of its slots have come by now, and in
-- how many seconds the next one does.
--
-- The slots lie between a hundred-and-twentieth and nineteen twentieths of the window, and nothing is granted in its last
-- thirtieth, because a call takes time to reach Google and the clocks differ. They come a sixtieth early, so that a large
-- quota is not asked for each call. Of those missed no more than `burst` are caught up.
create function quota_at(q quota, moment timestamptz, burst int default null, out number bigint, out allowed int,
                         out used int, out due int, out next_in float8, out ends_in float8)
language plpgsql stable set search_path from current
as $$
declare
    length float8 := extract(epoch from q.span);
    place  float8 := extract(epoch from moment) - q.begins;
    gap    float8;                              -- between two slots
begin
    number := floor(place / length);
    place := place - number * length;
    ends_in := length - place;
    allowed := least(q.configured, q.learned);
    used := case when q.number = number then q.used else 0 end;
    gap := length * (0.95 - 1.0 / 120) / allowed;
    due := case
        when moment < q.closed_until or place < length / 120 or place > length * 29 / 30 then 0
        else least(allowed, 1 + floor((place - length / 120 + length / 60) / gap)) end;
    used := greatest(used, due - burst);
    if used >= allowed or place > length * 29 / 30 then
        next_in := ends_in + length / 120;
    else
        next_in := greatest(length / 120, length / 120 - length / 60 + used * gap) - place;
    end if;
    next_in := greatest(next_in, extract(epoch from q.closed_until - moment));
end
$$;

-- Takes up to `wanted` calls from all the quotas named, and not fewer than `at_least`, after giving back what is left of a
-- grant. Returned are how many were granted, when and for how many seconds they are good, and where it is less than was
-- wanted the seconds until there may be more.
create function take_quota(names text[], configured int[], span_seconds float8, burst int, wanted int, at_least int,
                           unused int, granted_at float8, out granted int, out at float8, out good_for float8,
                           out wait float8)
language plpgsql security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off set jit = off
set plan_cache_mode = force_generic_plan
as $$
#variable_conflict use_variable
declare
    span   interval := make_interval(secs => span_seconds);
    moment timestamptz;
    one    record;
begin
    if exists (select from unnest(names) n(name) left join lateral quota_of(n.name) q on true where q.name is null) then
        -- One after another, so that nobody makes a second row.
        perform pg_advisory_xact_lock(hashtextextended('sheetsync quota', 0));
        insert into quota (name, configured, span)
        select n.name, n.configured, span
        from unnest(names, configured) n(name, configured) left join lateral quota_of(n.name) q on true
        where q.name is null;
    end if;
    perform from unnest(names) n(name) cross join lateral quota_of(n.name) s
    join quota q on q.name = s.name and q.no >= s.no order by q.name for update of q;
    -- Only now, because waiting for the lock took its time.
    moment := clock_timestamp();
    at := extract(epoch from moment);
    -- A quota that was lowered may be raised again, which nobody says; and settings change.
    update quota q set configured = n.configured, span = span, learned = null, learned_at = null
    from unnest(names, configured) n(name, configured) cross join lateral quota_of(n.name) s
    where q.name = s.name and q.no = s.no
      and (q.learned_at < now() - interval '1 hour' or (q.configured, q.span) <> (n.configured, span));
    if unused > 0 then
        perform return_quota(names, unused, granted_at);
    end if;
    granted := wanted;
    for one in
        select v.* from unnest(names) n(name) cross join lateral quota_of(n.name) q
        cross join lateral quota_at(q, moment, burst) v
    loop
        granted := least(granted, one.due - one.used);
        good_for := least(good_for, one.ends_in - span_seconds / 60);
        if one.due - one.used < wanted then
            wait := greatest(wait, one.next_in);
        end if;
    end loop;
    if granted < at_least then
        granted := 0;
        return;
    end if;
    update quota q set no = nextval('quota_no'), number = v.number, used = v.used + granted
    from unnest(names) n(name) cross join lateral quota_of(n.name) s cross join lateral quota_at(s, moment, burst) v
    where q.name = s.name and q.no = s.no;
end
$$;

-- Gives back what is left of a grant, unless its window is over.
create function return_quota(names text[], unused int, granted_at float8) returns void
language plpgsql security definer set search_path from current
as $$
begin
    update quota q set no = nextval('quota_no'), used = greatest(q.used - unused, 0)
    from unnest(names) n(name) cross join lateral quota_of(n.name) s
    where q.name = s.name and q.no >= s.no and q.number = (quota_at(q, to_timestamp(granted_at))).number;
end
$$;

-- Remembers what Google said when it refused a call: what it allows, when its window began, and for how long nothing is to
-- be had.
create function close_quota(name text, allowed int, began float8, seconds float8) returns void
language sql security definer set search_path from current
as $$
    update quota q
    set learned = case when allowed < q.configured then greatest(allowed, 1) else q.learned end,
        learned_at = case when allowed < q.configured then now() else q.learned_at end,
        begins = coalesce(mod(began::numeric, extract(epoch from q.span)::numeric)::float8, q.begins),
        closed_until = greatest(q.closed_until, clock_timestamp() + make_interval(secs => seconds))
    from quota_of($1) s where q.name = s.name and q.no >= s.no
$$;

-- Says that a breaker is open for some seconds, and why.
create function open_breaker(name text, reason text, seconds float8) returns void
language sql security definer set search_path from current
as $$
    insert into breaker as b (name, reason, until)
    values (name, reason, clock_timestamp() + make_interval(secs => seconds))
    on conflict on constraint breaker_pkey do update set reason = excluded.reason, until = excluded.until
$$;

create function close_breaker(name text) returns void
language sql security definer set search_path from current
as $$
    delete from breaker b where b.name = $1
$$;

do $$
begin
    execute format('revoke all on all functions in schema %I from public', current_schema);
end
$$;
grant execute on function
    take_quota(text[], int[], float8, int, int, int, int, float8), return_quota(text[], int, float8),
    close_quota(text, int, float8, float8),
    open_breaker(text, text, float8), close_breaker(text)
    to sheetsync_worker;
grant execute on function quota_at(quota, timestamptz, int) to sheetsync_worker, sheetsync_operator;
grant select on quota, breaker to sheetsync_operator;
