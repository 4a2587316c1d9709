-- Who is next: the turns of owners, the jobs that wait for one target, and who is told when a job waits or has ended.

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
        join head h on (h.target, h.no) >= (s.target, s.no) and (h.target, h.no) <= (s.target, s.no)
        where h.since > l.id for update of h skip locked
    )
    update head h set no = nextval('head_no'), since = coalesce((
        select r.id from ready r
        where r.gate = 0 and r.target is not null
          and (r.target, r.id) >= (s.target, 0) and (r.target, r.id) <= (s.target, s.id)
        order by r.target, r.id limit 1), s.id)
    from seen s where (h.target, h.no) >= (s.target, s.no) and (h.target, h.no) <= (s.target, s.no);
end
$$;

-- Opens waiting jobs that the caller has locked and gives them their turns: next, where a worker has had them before, else
-- behind the others of their owners. Those that the looks for their target would pass over stay as they are.
create function line_up(jobs bigint[]) returns void
language plpgsql
as $$
begin
    if jobs = '{}' then
        return;
    end if;
    perform go_back(jobs);
    with waiting as (
        select x.id, x.kind, x.priority, x.line, x.redelivered,
               row_number() over (partition by x.redelivered order by x.run_at, x.id) as place,
               row_number() over (partition by x.redelivered, x.line order by x.run_at, x.id) as place_in_line
        from ready x
        where x.id = any (jobs) and (x.target is null or x.id >= coalesce((select s.since from head_of(x.target) s), 0))
    ), begun as (
        select w.*, case when w.redelivered then turn_reached(w.kind, w.priority)
                         when w.place_in_line = 1 then last_turn(w.line, turn_reached(w.kind, w.priority)) end as last
        from waiting w
    ), placed as materialized (
        select b.id, case when b.redelivered then b.last + b.place
                          else turn_after(max(b.last) over (partition by b.redelivered, b.line), b.place_in_line, b.id) end as turn
        from begun b
    )
    update ready r set gate = 0, turn = p.turn from placed p where r.id between p.id and p.id;
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
    where (h.target, h.no) >= (s.target, s.no) and h.target <= s.target and h.id = v.id;
    -- A statement of its own, which sees what a claim parked while the one above waited for it.
    update ready r set gate = 0, turn = greatest(r.turn, turn_after(turn_reached(r.kind, r.priority), 1, r.id))
    where r.id = any (array(
        select w.id from unnest(targets) v(target) left join lateral head_of(v.target) s on true
        cross join lateral (
            select r.id from ready r
            where r.gate = 2 and (r.target, r.id) >= (v.target, coalesce(s.since, 0)) and r.target <= v.target
            order by r.target, r.id limit 1 for update skip locked) w
        where s.id is null));
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

-- Whether a job makes a spreadsheet of its own. Where such a job ends before its time, and its attempts may have been
-- unable to save what they made, somebody looks for that (`take_unsettled`).
create function makes_spreadsheet(kind text, target text) returns boolean
language sql immutable
as $$
    select kind = 'export' and target is null
$$;
