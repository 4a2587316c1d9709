-- Google's quotas and its troubles, shared by all workers of an installation.
--
-- A quota allows so many calls in a window whose beginning only Google knows. So no stretch of that length, wherever it
-- begins, may hold more: what was granted counts for one window from its grant.

create table quota (
    name         text primary key,              -- what is counted and for whom, such as sheets_writes/project
    configured   int not null,                  -- calls a window by the settings
    span         interval not null,             -- the window's length
    learned      int,                           -- the lower figure that Google named when it refused a call
    learned_at   timestamptz,
    closed_until timestamptz                    -- the end of the window in which it refused
);

-- What was granted to some worker, and may be in use; of a dead worker's grant nothing is left after a window.
create table quota_use (
    grant_no bigint      not null,
    name     text        not null references quota,
    at       timestamptz not null,
    amount   int         not null,
    primary key (grant_no, name)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index quota_use_at on quota_use (name, at);
create sequence quota_grant;

-- A service of Google's that fails, or an identity that it refuses; claims of what needs it wait.
create table breaker (
    name   text primary key,
    reason text        not null,
    since  timestamptz not null default now(),
    until  timestamptz not null                 -- when it is tried again
);

-- Takes up to `wanted` calls from all the quotas named, after giving back what is left of an earlier grant. Returned are
-- the grant, and where nothing was free the seconds until something may be.
create function take_quota(names text[], configured int[], wanted int, window_seconds float8, earlier_grant bigint,
                           unused int, out grant_no bigint, out granted int, out wait float8)
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
declare
    span   interval := make_interval(secs => window_seconds);
    moment timestamptz;
begin
    if exists (select from unnest(names, configured) as n(name, configured)
               where not exists (select from quota q
                                 where q.name = n.name and q.configured = n.configured and q.span = span)) then
        insert into quota as q (name, configured, span) select n.*, span from unnest(names, configured) n order by 1
        on conflict on constraint quota_pkey do update
        set configured = excluded.configured, span = excluded.span, learned = null, learned_at = null
        where (q.configured, q.span) <> (excluded.configured, excluded.span);
    end if;
    perform from quota q where q.name = any (names) order by q.name for update;
    -- Only now, because waiting for the lock took its time.
    moment := clock_timestamp();
    -- A quota that was lowered may be raised again, which nobody says.
    update quota q set learned = null, learned_at = null
    where q.name = any (names) and q.learned_at < now() - interval '1 hour';
    if unused > 0 then
        update quota_use u set amount = u.amount - unused where u.grant_no = earlier_grant;
    end if;
    delete from quota_use u where u.name = any (names) and (u.at <= moment - span or u.amount <= 0);
    select greatest(least(wanted, min(s.free)), 0), max(s.wait) into granted, wait
    from (
        select case when q.closed_until > moment then 0
                    else least(q.configured, q.learned) - coalesce(sum(u.amount), 0) end as free,
               greatest(extract(epoch from q.closed_until - moment),
                        case when sum(u.amount) >= least(q.configured, q.learned)
                             then extract(epoch from min(u.at) + span - moment) end) as wait
        from quota q left join quota_use u on u.name = q.name
        where q.name = any (names) group by q.name
    ) s;
    if granted > 0 then
        grant_no := nextval('quota_grant');
        wait := null;
        insert into quota_use (grant_no, name, at, amount) select grant_no, n, moment, granted from unnest(names) n;
    end if;
end
$$;

-- Gives back what is left of a grant.
create function return_quota(grant_no bigint, unused int) returns void
language sql security definer set search_path from current
as $$
    update quota_use u set amount = u.amount - unused where u.grant_no = $1
$$;

-- Remembers what Google said when it refused a call: what it allows, and for how long nothing is to be had.
create function close_quota(name text, allowed int, seconds float8) returns void
language sql security definer set search_path from current
as $$
    update quota q
    set learned = case when allowed < q.configured then greatest(allowed, 1) else q.learned end,
        learned_at = case when allowed < q.configured then now() else q.learned_at end,
        closed_until = greatest(q.closed_until, clock_timestamp() + make_interval(secs => seconds))
    where q.name = $1
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
    take_quota(text[], int[], int, float8, bigint, int), return_quota(bigint, int), close_quota(text, int, float8),
    open_breaker(text, text, float8), close_breaker(text)
    to sheetsync_worker;
grant select on quota, quota_use, breaker to sheetsync_operator;
