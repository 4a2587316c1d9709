-- How a worker gets its jobs.

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
            select f.* from first f
            join head h on (h.target, h.no) >= (f.target, f.no) and (h.target, h.no) <= (f.target, f.no)
            where h.id is null for update of h skip locked
        ), begun as (
            update head h set no = nextval('head_no'), id = f.id, since = greatest(f.since, f.id - 100)
            from free f where (h.target, h.no) >= (f.target, f.no) and (h.target, h.no) <= (f.target, f.no)
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
        select s.* from seen s
        join head h on (h.target, h.no) >= (s.target, s.no) and (h.target, h.no) <= (s.target, s.no)
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
    update ready r set gate = 2 where r.id = any (array(select h.id from held h));
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
    -- Asked anew, so as not to go back behind another claim.
    if last > turn_reached(kind, lane) then
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

-- Lets the claims of some kinds begin at the first open job, or far above where there is none, in the priorities in which
-- the way there is long. In the way lie the rows of jobs that were cancelled or parked, perhaps thousands, and each claim
-- would pass them while somebody's transaction is open. A job that is just being enqueued comes to lie below, where only a
-- look back finds it: so this is for need alone.
create function pass_by(kinds text[]) returns void
language plpgsql
as $$
declare
    lane   record;
    before bigint;
    first  bigint;
begin
    for lane in
        select k as kind, p as priority, turn_reached(k, p) as reached
        from unnest(kinds) k cross join generate_series(0, 9) p
    loop
        before := entries_read();
        first := (select r.turn from ready r
                  where r.gate = 0 and r.kind = lane.kind and r.priority = lane.priority and r.turn >= lane.reached - 100
                  order by r.turn, r.id limit 1);
        -- Numbers of rounds end at 2^35.
        if entries_read() > before + 1000 and lane.reached < 1::bigint << 62 then
            perform setval(to_regclass(quote_ident('turn_' || lane.kind || '_' || lane.priority)),
                           greatest(lane.reached, coalesce(first - 1, turn_after(lane.reached, 1000000, 0))));
        end if;
    end loop;
end
$$;

-- Takes up to `slots` open jobs, after opening those whose time has come, and returns them in the order of taking.
--
-- `rooms` says of each kind that the worker knows how many jobs of it may begin, as {"export": 3, "noop": 16}; the others
-- and those that are paused are left alone. The most urgent come first; within one priority the kinds take turns,
-- beginning behind the one that was served last, and within a kind the owners, by the turns of their jobs.
--
-- `look_back` says whether to look also for jobs that came to lie where the claims have been already: a transaction was
-- open for long before it committed them, a claim of them was rolled back, or claims went on just when they were opened.
-- They get into line anew. A worker does that once in a while, because it reads past every dead row.
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
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off set plan_cache_mode = force_generic_plan
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
    from lease l join job j on j.id between l.id and l.id left join progress p on p.id between l.id and l.id
    left join maker m on m.target between j.target and j.target
    where l.id = any (claimed) order by l.lease_no;
    -- A worker that was taken for dead while it was suspended must not begin anything. The lock keeps others from
    -- taking it for dead between this look and the commit; a beat does not wait for it.
    perform from worker w where w.epoch = claim.epoch for key share;
    if not found then
        raise exception 'this worker was taken for dead' using errcode = '55000';
    end if;
end
$$;
