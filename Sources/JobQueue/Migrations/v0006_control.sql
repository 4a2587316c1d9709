-- What a job's login or an operator may do to a job, and an operator to all jobs of a kind.

-- Cancels those of some jobs that wait; returns them.
create function cancel_waiting(jobs bigint[]) returns bigint[] language plpgsql as $$
declare
    cancelled bigint[];
    targets   text[];
begin
    with deleted as (
        delete from ready r where r.id = any (jobs) returning r.*
    ), finalized as (
        insert into outcome (id, state, attempt, attempted_at, result, reconcile_at)
        select d.id, 'cancelled', d.attempt, d.attempted_at, partial_result(d.id),
               case when d.redelivered and k.is_reconciled and d.target is null then clock_timestamp() end
        from deleted d left join kind k on k.name = d.kind
    )
    select coalesce(array_agg(d.id), '{}'), coalesce(array_agg(d.target) filter (where d.target is not null), '{}')
    into cancelled, targets from deleted d;
    if targets <> '{}' then
        perform unblock_targets(targets, cancelled);
    end if;
    perform notify_finalized(cancelled, array_fill('cancelled'::text, array[cardinality(cancelled)]));
    return cancelled;
end
$$;

-- Whether the caller may see a job and control it.
create function may_control(id bigint) returns boolean language sql stable as $$
    select exists (select from job j where j.id = $1 and (j.enqueued_by = session_user or may_see_all()))
$$;

-- True: the job is cancelled, or where it runs its worker was asked to stop.
create function cancel(id bigint) returns boolean language plpgsql security definer as $$
#variable_conflict use_variable
begin
    if not may_control(id) then
        return false;
    end if;
    -- Between two statements the job may move from one table to the next, so look again.
    for try in 1..10 loop
        if cancel_waiting(array[id]) <> '{}' then
            return true;
        end if;
        if exists (select from lease l where l.id = cancel.id) then
            insert into cancel_request (id, by) values (cancel.id, session_user) on conflict on constraint cancel_request_pkey do nothing;
            perform try_notify('sheetsync_cancel', cancel.id::text);
            return true;
        end if;
        exit when exists (select from outcome o where o.id = cancel.id);
    end loop;
    return false;
end
$$;

-- Cancels jobs that a worker put back just while somebody asked for their end, and forgets the requests for jobs that ended
-- just then. Waits for nobody.
create function apply_cancel_requests() returns void language plpgsql as $$
declare
    cancelled bigint[] := cancel_waiting(array(
        select r.id from cancel_request c join ready r on r.id = c.id for update of r skip locked));
begin
    delete from cancel_request c where c.id = any (array(
        select x.id from cancel_request x
        where x.id = any (cancelled) or exists (select from outcome o where o.id = x.id) for update skip locked));
end
$$;

-- True: a discarded or cancelled job is available again with all its attempts; its history stays. Among the jobs of its
-- target it takes the place of its id. A run of a sync that has another run open stays as it is.
create function retry(id bigint) returns boolean language plpgsql security definer as $$
#variable_conflict use_variable
begin
    if not may_control(id) then
        return false;
    end if;
    -- Whoever enqueued it needs the role again; an operator does not.
    perform check_role(k, j.payload) from job j join kind k on k.name = j.kind
    where j.id = retry.id and j.enqueued_by = session_user;
    -- A sync has one open run.
    if exists (select from outcome o where o.id = retry.id and o.state <> 'completed') and not reopen_run(id) then
        return false;
    end if;
    with deleted as (
        delete from outcome o where o.id = retry.id and o.state <> 'completed' returning o.id, o.attempted_at
    )
    insert into ready (id, kind, enqueued_by, priority, owner, target, state, redelivered, run_at, attempted_at)
    select j.id, j.kind, j.enqueued_by, j.priority, j.owner, j.target, 'available', d.attempted_at is not null, now(),
           d.attempted_at
    from deleted d join job j on j.id = d.id;
    if not found then
        return false;
    end if;
    delete from cancel_request c where c.id = retry.id;
    if (select j.enqueued_by = session_user from job j where j.id = retry.id) then
        perform check_waiting();
    end if;
    perform notify_workers();
    return true;
end
$$;

-- Stops the claiming of one kind of job, or of all; true unless it was stopped before.
create function pause_queue(kind text default null) returns boolean language plpgsql security definer as $$
begin
    if kind is not null then
        perform require_kind(kind);
    end if;
    insert into pause (kind, by) values (coalesce(pause_queue.kind, ''), session_user) on conflict on constraint pause_pkey do nothing;
    return found;
end
$$;

-- Lifts the pause of one kind, or every pause; true if there was any.
create function resume_queue(kind text default null) returns boolean language plpgsql security definer as $$
begin
    if kind is not null then
        perform require_kind(kind);
    end if;
    delete from pause p where resume_queue.kind is null or p.kind = resume_queue.kind;
    if not found then
        return false;
    end if;
    perform notify_workers();
    return true;
end
$$;

-- Sets the ceilings of a login: how many of its jobs run at once over all workers, how many wait, and the best priority that they
-- get; null is no ceiling. What waits and runs already stays.
create function limit_login(login text, slots int default null, waiting int default null, best_priority int default null)
returns void language plpgsql security definer as $$
#variable_conflict use_variable
declare
    fault text := case
        when slots not between 0 and 100000 then format('slots must be from 0 to 100000, not %s', slots)
        when waiting not between 0 and 100000 then format('waiting must be from 0 to 100000, not %s', waiting)
        when best_priority not between 0 and 9 then
            format('best_priority must be from 0 (first) to 9 (last), not %s', best_priority) end;
begin
    if fault is not null then
        perform raise_invalid(fault);
    end if;
    if coalesce(slots, waiting, best_priority) is null then
        delete from login_limit l where l.login = limit_login.login;
    elsif exists (select from pg_roles r where r.rolname = login and r.rolcanlogin) then
        insert into login_limit (login, slots, waiting, best_priority) values (login, slots, waiting, best_priority)
        on conflict on constraint login_limit_pkey do update
        set slots = excluded.slots, waiting = excluded.waiting, best_priority = excluded.best_priority;
    else
        perform raise_invalid(format('there is no login %s', coalesce(quote_literal(login), 'null')));
    end if;
    perform notify_workers();
end
$$;
