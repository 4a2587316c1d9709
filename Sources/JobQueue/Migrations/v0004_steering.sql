-- What its owner or an operator may do to a job, and an operator to all of a kind.

-- Notes that a job is cancelled that waited until now, opens what waited for its end, and tells who listens.
create function end_as_cancelled(taken ready) returns void
language plpgsql
as $$
begin
    insert into outcome (id, state, attempt, attempted_at, result, look_at)
    values (taken.id, 'cancelled', taken.attempt, taken.attempted_at, saved_result(taken.id),
            case when taken.redelivered and makes_spreadsheet(taken.kind, taken.target) then clock_timestamp() end);
    perform vacate(array[taken.id], array[taken.target]);
    perform announce(array[taken.id], array['cancelled']);
end
$$;

-- True: the job is cancelled, or where it runs its worker was asked to stop.
create function cancel(id bigint) returns boolean
language plpgsql security definer set search_path from current
set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set jit = off
as $$
#variable_conflict use_variable
declare
    taken ready;
begin
    if not exists (select from job j where j.id = cancel.id and (j.enqueued_by = session_user or may_see_all())) then
        return false;
    end if;
    -- Between two looks the job may move from one table to the next, so look again.
    for look in 1..10 loop
        delete from ready r where r.id = cancel.id returning r.* into taken;
        if found then
            perform end_as_cancelled(taken);
            return true;
        end if;
        if exists (select from lease l where l.id = cancel.id) then
            insert into cancel_request (id, by) values (cancel.id, session_user) on conflict do nothing;
            perform hint('sheetsync_cancel', cancel.id::text);
            return true;
        end if;
        if exists (select from outcome o where o.id = cancel.id) then
            return false;
        end if;
    end loop;
    return false;
end
$$;

-- Cancels the jobs that wait although somebody wants them cancelled: they were put back just while the request was made.
-- Forgets the requests for jobs that ended just then. Waits for nobody.
create function settle_cancellations() returns void
language plpgsql
as $$
declare
    taken ready;
begin
    for taken in
        with asked as materialized (
            select r.id from cancel_request c join ready r on r.id = c.id for update skip locked
        ), gone as (
            delete from ready r where r.id = any (array(select a.id from asked a)) returning r.*
        ), answered as (
            delete from cancel_request c using gone g where c.id = g.id
        )
        select g.* from gone g
    loop
        perform end_as_cancelled(taken);
    end loop;
    delete from cancel_request c
    where c.id in (select x.id from cancel_request x join outcome o on o.id = x.id for update of x skip locked);
end
$$;

-- True: a discarded or cancelled job is available again, with all its attempts; its history stays. Among the jobs that
-- wait for the same target it takes the place of its number: a claim opens it and lets the looks begin there, for which the
-- caller would need a lock that workers wait for.
create function retry(id bigint) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
begin
    with gone as (
        delete from outcome o using job j
        where o.id = retry.id and o.state <> 'completed' and j.id = o.id
          and (j.enqueued_by = session_user or may_see_all())
        returning j.id, j.kind, j.priority, j.owner, j.target, o.attempted_at
    )
    insert into ready (id, kind, priority, gate, attempt, redelivered, run_at, attempted_at, line, turn, target)
    select g.id, g.kind, g.priority, (g.target is not null)::int, 0, g.attempted_at is not null, now(), g.attempted_at,
           l.line, turn_after(last_turn(l.line, turn_reached(g.kind, g.priority)), 1, g.id), g.target
    from gone g cross join lateral (select line_of(g.kind, g.priority, g.owner) as line) l;
    if not found then
        return false;
    end if;
    delete from cancel_request c where c.id = retry.id;
    perform rouse();
    return true;
end
$$;

create function check_kind(kind text) returns void
language plpgsql
as $$
#variable_conflict use_variable
begin
    if kind is not null and not exists (select from kind k where k.name = kind) then
        raise exception 'unknown kind of job: %', quote_literal(kind) using errcode = '22023', hint = known_kinds();
    end if;
end
$$;

-- Stops the claiming of one kind of job, or of all; true unless it was stopped before.
create function pause_queue(kind text default null) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
begin
    perform check_kind(kind);
    insert into pause (kind, by) values (coalesce(kind, ''), session_user) on conflict do nothing;
    return found;
end
$$;

-- Lifts the pause of one kind, or every pause; true if there was any.
create function resume_queue(kind text default null) returns boolean
language plpgsql security definer set search_path from current
as $$
#variable_conflict use_variable
begin
    perform check_kind(kind);
    delete from pause p where kind is null or p.kind = resume_queue.kind;
    if not found then
        return false;
    end if;
    perform rouse();
    return true;
end
$$;
