-- How a worker gets jobs.

-- Chooses up to `slots` available jobs and locks them. Logins take turns, so nobody is held up by another login's backlog,
-- owners or priorities. Of a login the most urgent jobs come first, and among these its kinds and then its owners take turns.
-- Only priorities from `first` on are looked at; `next` is where to look on if none of these jobs can run, null for nowhere.
--
-- `limits` says of each kind that the worker knows how many jobs may begin, such as {"export": 3, "noop": 16}. `served` lists
-- the logins and kinds that the worker has served, the last one last, each with the owner that it served last.
create function pick_jobs(slots int, limits jsonb, served jsonb, first int, out picked bigint[], out next int)
language plpgsql as $$
begin
    with recursive allowed as materialized (
        select l.key collate "C" as kind, l.value::int as room from jsonb_each_text(limits) l
        where l.value::int > 0 and not exists (select from pause p where p.kind in (l.key, ''))
    ), memory as materialized (
        select m.entry ->> 'login' as login, m.entry ->> 'kind' as kind, m.entry ->> 'owner' as owner, m.place
        from jsonb_array_elements(served) with ordinality m(entry, place)
    ), lane as (
        -- From login to login by a loose index scan: each probe finds the next login's most urgent priority of a kind.
        select a.kind, a.room, f.enqueued_by, f.priority
        from allowed a cross join lateral (
            select r.enqueued_by, r.priority from ready r
            where r.state = 'available' and r.kind = a.kind and r.priority >= first
            order by r.kind, r.enqueued_by, r.priority limit 1) f
        union all
        select l.kind, l.room, f.enqueued_by, f.priority
        from lane l cross join lateral (
            select r.enqueued_by, r.priority from ready r
            where r.state = 'available' and r.kind = l.kind and r.enqueued_by > l.enqueued_by and r.priority >= first
            order by r.kind, r.enqueued_by, r.priority limit 1) f
    ), urgent as materialized (
        select l.*, coalesce(m.owner, '') collate "C" as after, coalesce(m.place, 0) as kind_served,
               coalesce((select max(x.place) from memory x where x.login = l.enqueued_by), 0) as login_served
        from (select x.*, min(x.priority) over (partition by x.enqueued_by) as most_urgent from lane x) l
        left join memory m on m.login = l.enqueued_by and m.kind = l.kind
        where l.priority = l.most_urgent
    ), ring as (
        -- From owner to owner in the same way, beginning behind the one that was served last, and once around.
        select u.*, 0 as place, u.after as owner, false as is_around from urgent u
        union all
        select r.kind, r.room, r.enqueued_by, r.priority, r.most_urgent, r.after, r.kind_served, r.login_served,
               r.place + 1, n.owner, n.is_around
        from ring r cross join lateral (
            (select x.owner, r.is_around from ready x
             where x.state = 'available' and x.kind = r.kind and x.enqueued_by = r.enqueued_by
               and x.priority = r.priority and x.owner > r.owner and (not r.is_around or x.owner <= r.after)
             order by x.kind, x.enqueued_by, x.priority, x.owner limit 1)
            union all
            (select x.owner, true from ready x
             where not r.is_around and x.state = 'available' and x.kind = r.kind and x.enqueued_by = r.enqueued_by
               and x.priority = r.priority and x.owner <= r.after
             order by x.kind, x.enqueued_by, x.priority, x.owner limit 1)
            limit 1) n
        where r.place < slots
    ), turn as materialized (
        -- Of each login one owner after another, then the logins in turn.
        select t.*, count(*) over () as turns, row_number() over (order by t.turn_of_login, t.login_served) as number
        from (select r.*, row_number() over (partition by r.enqueued_by order by r.place, r.kind_served) as turn_of_login
              from ring r where r.place > 0) t
        order by number limit slots
    ), candidate as materialized (
        select j.id, t.kind, t.room, t.number, row_number() over (partition by t.number order by j.id) as round
        from turn t cross join lateral (
            select r.id from ready r
            where r.state = 'available' and r.kind = t.kind and r.enqueued_by = t.enqueued_by
              and r.priority = t.priority and r.owner = t.owner
            order by r.kind, r.enqueued_by, r.priority, r.owner, r.id
            limit ceil(slots / least(t.turns, slots)::float8) for update skip locked) j
    )
    select array(
        select c.id
        from (select x.*, row_number() over (partition by x.kind order by x.round, x.number) as number_of_kind
              from candidate x) c
        where c.number_of_kind <= c.room
        order by c.round, c.number limit slots), (select min(u.priority) + 1 from urgent u)
    into picked, next;
end
$$;

-- Claims up to `slots` jobs and returns them in the order in which they should begin. Fewer does not mean that no more wait:
-- a worker asks again until it gets none.
create function claim(epoch bigint, slots int, limits jsonb, served jsonb default '[]')
returns table (id bigint, lease_number bigint, attempt int, redelivered boolean, uid uuid, kind text, payload jsonb,
               max_attempts int, enqueued_by name, owner text, target text, checkpoint jsonb)
language plpgsql security definer as $$
#variable_conflict use_column
declare
    first   int      := 0;
    picked  bigint[];
    claimed bigint[] := '{}';
begin
    if exists (select from cancel_request) then
        perform apply_cancel_requests();
    end if;
    update ready r set state = 'available' where r.id = any (array(
        select d.id from ready d where d.state = 'scheduled' and d.run_at <= now()
        order by d.run_at limit 1000 for update skip locked));
    while first is not null and claimed = '{}' loop
        select p.picked, p.next into picked, first from pick_jobs(slots, limits, served, first) p;
        claimed := lock_targets(picked);
    end loop;
    if claimed = '{}' then
        return;
    end if;
    with deleted as (
        delete from ready r where r.id = any (claimed) returning r.*
    )
    insert into lease (id, number, epoch, attempt, redelivered, target)
    select d.id, nextval('lease_number'), claim.epoch, d.attempt + 1, d.redelivered, d.target from deleted d
    order by array_position(claimed, d.id);
    return query
    select l.id, l.number, l.attempt::int, l.redelivered, j.uid, j.kind, j.payload, j.max_attempts::int, j.enqueued_by,
           j.owner, j.target, p.checkpoint
    from lease l join job j on j.id = l.id left join progress p on p.id = l.id
    where l.id = any (claimed) order by l.number;
    -- A worker that was suspended and taken for dead must not begin anything. The lock keeps others from taking it for dead
    -- before this commits; a heartbeat does not wait for it.
    perform from worker w where w.epoch = claim.epoch for key share;
    if not found then
        raise exception 'this worker was taken for dead' using errcode = '55000';
    end if;
end
$$;
