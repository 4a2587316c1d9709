-- What nobody waits for: jobs of workers that died, spreadsheets of jobs that ended before their time, old jobs.

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
-- have been opened, or where a cancel in a transaction with an old snapshot did not see what to open. This begins at no
-- number, and reads past every dead row of those targets.
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
-- where nothing later began; but as whom a spreadsheet was made stays known. Returns how many, and where the next call may
-- go on: what was removed stays in its way while a transaction is open.
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
        join head h on h.target >= s.target and (h.target, h.no) <= (s.target, s.no)
        where s.id is null and s.since <= l.id and h.id is null for update of h skip locked
    )
    delete from head h using done d where h.target = d.target and h.no = d.no;
    removed := cardinality(old);
end
$$;

-- Takes one job of some kinds that ended before its time, for a look at what it has made. If nobody settles that, the next
-- look is so many seconds from now; where many were in vain, later and later. Looked for is behind `since`, and returned is
-- where the next call may go on: what was settled stays in its way while a transaction is open.
create function take_unsettled(kinds text[], pause float8, since timestamptz)
returns table (id bigint, attempt int, kind text, payload jsonb, max_attempts int, owner text, target text, checkpoint jsonb,
               identity text, ended_at text, ended_for float8, was_due_at text)
language plpgsql security definer set search_path from current
set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
set jit = off
as $$
#variable_conflict use_column
begin
    return query
    with due as materialized (
        select o.id, o.look_at from outcome o join job j on j.id = o.id
        where o.look_at > since and o.look_at <= now() and j.kind = any (kinds)
        order by o.look_at limit 1 for update of o skip locked
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
