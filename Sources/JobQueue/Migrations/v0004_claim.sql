-- How a worker gets jobs.

-- Chooses up to `slots` available jobs and locks them. Logins take turns, so nobody is held up by another login's backlog,
-- owners or priorities. Of a login the most urgent jobs come first, and among these its kinds and then its owners take turns.
--
-- `limits` says of each kind that the worker knows how many jobs may begin, such as {"mail": 3, "noop": 16}. `served` lists
-- the logins and kinds that the worker has served, the last one last, each with the owner that it served last. The jobs in
-- `tried` and those of the targets in `stuck` are left out. `rooms` says of some logins how many of their jobs may begin.
-- `seen` has the first job of each owner whose turn it is; where nothing is picked, other transactions have these locked.
create function pick_jobs(slots int, limits jsonb, served jsonb, tried bigint[], stuck text[], rooms jsonb,
                          out picked bigint[], out seen bigint[]) language plpgsql as $$
begin
    with recursive allowed as materialized (
        select l.key collate "C" as kind, l.value::int as room from jsonb_each_text(limits) l
        where l.value::int > 0 and not exists (select from pause p where p.kind in (l.key, ''))
    ), memory as materialized (
        select jsonb_object_agg(m.entry ->> 'login', m.place order by m.place) as logins,
               jsonb_object_agg(m.entry ->> 'kind' || ' ' || (m.entry ->> 'login'), m.entry || jsonb_build_object('place', m.place))
                   as lanes
        from jsonb_array_elements(served) with ordinality m(entry, place)
    ), lane as (
        -- From login to login by a loose index scan: each probe finds the next login's first job of a kind.
        select a.kind, a.room, f.*
        from allowed a cross join lateral (
            select r.enqueued_by, r.priority, r.owner, r.id from ready r
            where r.state = 'available' and r.kind = a.kind
              and r.id <> all (tried) and (r.target is null or r.target <> all (stuck))
            order by r.kind, r.enqueued_by, r.priority, r.owner, r.id limit 1) f
        union all
        select l.kind, l.room, f.*
        from lane l cross join lateral (
            select r.enqueued_by, r.priority, r.owner, r.id from ready r
            where r.state = 'available' and r.kind = l.kind and r.enqueued_by > l.enqueued_by
              and r.id <> all (tried) and (r.target is null or r.target <> all (stuck))
            order by r.kind, r.enqueued_by, r.priority, r.owner, r.id limit 1) f
    ), urgent as materialized (
        -- The logins that were served longest ago, as many as there are slots, with their most urgent lanes.
        select u.* from (
            select l.*, coalesce(m.lanes -> (l.kind || ' ' || l.enqueued_by) ->> 'owner', '') collate "C" as after,
                   coalesce((m.lanes -> (l.kind || ' ' || l.enqueued_by) -> 'place')::int, 0) as kind_served,
                   dense_rank() over (order by coalesce((m.logins -> l.enqueued_by)::int, 0), l.enqueued_by) as login_number
            from (select x.*, min(x.priority) over (partition by x.enqueued_by) as most_urgent from lane x) l
            cross join memory m
            where l.priority = l.most_urgent and coalesce((rooms ->> l.enqueued_by)::int, slots) > 0) u
        where u.login_number <= slots
    ), ring as (
        -- From owner to owner in the same way, beginning behind the one that was served last, and once around.
        select u.kind, u.room, u.enqueued_by, u.priority, u.after, u.kind_served, u.login_number, u.owner as first_owner,
               u.id as first_id, 0 as place, u.after as owner, 0::bigint as id, false as is_around
        from urgent u
        union all
        select r.kind, r.room, r.enqueued_by, r.priority, r.after, r.kind_served, r.login_number, r.first_owner, r.first_id,
               r.place + 1, n.owner, n.id, n.is_around
        from ring r cross join lateral (
            (select x.owner, x.id, r.is_around from ready x
             where x.state = 'available' and x.kind = r.kind and x.enqueued_by = r.enqueued_by
               and x.priority = r.priority and x.owner > r.owner and (not r.is_around or x.owner <= r.after)
               and x.id <> all (tried) and (x.target is null or x.target <> all (stuck))
             order by x.kind, x.enqueued_by, x.priority, x.owner, x.id limit 1)
            union all
            select r.first_owner, r.first_id, true where not r.is_around and r.first_owner <= r.after
            limit 1) n
        where r.place < slots
    ), turn as materialized (
        -- Of each login one owner after another, then the logins in turn.
        select t.*, count(*) over () as turns, row_number() over (order by t.turn_of_login, t.login_number) as number
        from (select r.*, row_number() over (partition by r.enqueued_by order by r.place, r.kind_served) as turn_of_login
              from ring r where r.place > 0) t
        order by number limit slots
    ), candidate as materialized (
        select j.id, t.kind, t.room, t.enqueued_by, t.number, row_number() over (partition by t.number order by j.id) as round
        from turn t cross join lateral (
            select r.id from ready r
            where r.state = 'available' and r.kind = t.kind and r.enqueued_by = t.enqueued_by
              and r.priority = t.priority and r.owner = t.owner and r.id >= t.id
              and r.id <> all (tried) and (r.target is null or r.target <> all (stuck))
            order by r.kind, r.enqueued_by, r.priority, r.owner, r.id
            limit ceil(slots / least(t.turns, slots)::float8) for update skip locked) j
    )
    select array(
        select c.id
        from (select x.*, row_number() over (partition by x.kind order by x.round, x.number) as number_of_kind,
                     row_number() over (partition by x.enqueued_by order by x.round, x.number) as number_of_login
              from candidate x) c
        where c.number_of_kind <= c.room and c.number_of_login <= coalesce((rooms ->> c.enqueued_by)::int, slots)
        order by c.round, c.number limit slots), array(select t.id from turn t)
    into picked, seen;
end
$$;

-- How many jobs may begin of each login that has a ceiling on its slots, such as {"nightly": 2}. Its row stays locked until the
-- claim commits, so that two claims cannot fill the same slots; a login that another claim has locked is left to that one.
create function login_rooms() returns jsonb language plpgsql as $$
declare
    locked text[] := array(select l.login from login_limit l where l.slots is not null for update skip locked);
begin
    -- A statement of its own, which sees all leases of claims that had the locks before.
    return (
        select jsonb_object_agg(l.login, case when l.login = any (locked) then greatest(0, l.slots - (
            select count(*) from lease x where x.enqueued_by = l.login)) else 0 end)
        from login_limit l where l.slots is not null);
end
$$;

-- Chooses and locks a job that is to run alone and has waited for so long, as an array of one or none.
create function pick_isolated(limits jsonb, rooms jsonb, waited interval) returns bigint[] language plpgsql as $$
begin
    return array(
        select r.id from ready r
        where r.state = 'isolated' and r.run_at <= now() - waited and (limits ->> r.kind)::int > 0
          and coalesce((rooms ->> r.enqueued_by)::int, 1) > 0
          and not exists (select from pause p where p.kind in (r.kind, ''))
        order by r.id limit 1 for update skip locked);
end
$$;

-- Row-level security hides rows without an error. Where it hides a job that is begun or ended, its transaction is undone, or the job
-- would be neither waiting nor running nor ended.
create function check_visible(expected bigint, seen bigint) returns void language plpgsql as $$
begin
    if seen < expected then
        raise exception 'row-level security hides rows of the table job from its owner' using errcode = '42501';
    end if;
end
$$;

-- Claims up to `slots` jobs and returns them in the order in which they should begin. Fewer does not mean that no more wait:
-- a worker asks again until it gets none.
--
-- Those claimed have up to `room` bytes together, each reckoned as its payload and 512 KiB. A larger one is claimed alone, by a
-- worker that holds no other job. So is an isolated job; where it has waited for 30 seconds, workers begin nothing else until one of
-- them is idle. A worker asks without `alone` after such a job, so that others have their turn in between.
create function claim(epoch bigint, slots int, limits jsonb, served jsonb default '[]', room bigint default null,
                      alone boolean default true)
returns table (id bigint, lease_number bigint, attempt int, redelivered boolean, isolated boolean, uid uuid, kind text,
               payload jsonb, max_attempts int, enqueued_by name, owner text, target text, checkpoint jsonb)
language plpgsql security definer as $$
#variable_conflict use_column
declare
    picked  bigint[];
    seen    bigint[];
    claimed bigint[] := '{}';
    tried   bigint[] := '{}';
    stuck   text[]   := '{}';
    fitting bigint[];
    is_busy boolean;
    rooms   jsonb    := '{}';
    shown   bigint;
begin
    -- A worker that was suspended and taken for dead must not begin anything. The lock keeps others from taking it for dead
    -- before this commits; a heartbeat does not wait for it.
    perform from worker w where w.epoch = claim.epoch for key share;
    if not found then
        raise exception 'this worker was taken for dead' using errcode = '55000';
    end if;
    if exists (select from cancel_request) then
        perform apply_cancel_requests();
    end if;
    update ready r set state = case when r.losses >= 2 then 'isolated' else 'available' end where r.id = any (array(
        select d.id from ready d where d.state = 'scheduled' and d.run_at <= now()
        order by d.run_at limit 1000 for update skip locked));
    if exists (select from login_limit) then
        rooms := coalesce(login_rooms(), rooms);
    end if;
    if alone and exists (select from lease l where l.epoch = claim.epoch and l.losses >= 2) then
        return;
    end if;
    if alone and exists (select from ready r where r.state = 'isolated') then
        is_busy := exists (select from lease l where l.epoch = claim.epoch);
        picked := pick_isolated(limits, rooms, make_interval(secs => case when is_busy then 30 else 0 end));
        if picked <> '{}' and is_busy then
            return;
        end if;
        claimed := lock_targets(picked);
    end if;
    -- Where open transactions of others have the first jobs locked, or what is in front of them, the next ones have their turn.
    for round in 1..100 loop
        exit when claimed <> '{}';
        select p.picked, p.seen into picked, seen from pick_jobs(slots, limits, served, tried, stuck, rooms) p;
        if room is not null then
            fitting := array(
                select x.id
                from (select u.id, u.place, sum(j.payload_bytes + 524288) over (order by u.place) as bytes
                      from unnest(picked) with ordinality u(id, place) join job j on j.id = u.id) x
                where x.bytes <= room order by x.place);
            if fitting = '{}' and picked <> '{}' then
                if exists (select from lease l where l.epoch = claim.epoch) then
                    return;
                end if;
                fitting := picked[1:1];
            end if;
            picked := fitting;
        end if;
        claimed := lock_targets(picked);
        exit when seen = '{}';
        tried := tried || seen || picked;
        stuck := stuck || array(select r.target from ready r where r.id = any (picked) and r.target is not null);
    end loop;
    if claimed = '{}' then
        return;
    end if;
    with deleted as (
        delete from ready r where r.id = any (claimed) returning r.*
    )
    insert into lease (id, number, epoch, enqueued_by, attempt, redelivered, losses, target)
    select d.id, nextval('lease_number'), claim.epoch, d.enqueued_by, d.attempt + 1, d.redelivered, d.losses, d.target
    from deleted d
    order by array_position(claimed, d.id);
    return query
    select l.id, l.number, l.attempt::int, l.redelivered, l.losses >= 2, j.uid, j.kind, j.payload, j.max_attempts::int, j.enqueued_by,
           j.owner, j.target, p.checkpoint
    from lease l join job j on j.id = l.id left join progress p on p.id = l.id
    where l.id = any (claimed) order by l.number;
    get diagnostics shown = row_count;
    perform check_visible(cardinality(claimed), shown);
end
$$;
