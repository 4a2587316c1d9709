-- The order of the jobs of one target, and notifications: what enqueue, claim and finish share.
--
-- Jobs of one target run one after another, in the order of their ids. Three rules keep this right without a lock that a
-- producer or a worker would wait for:
--
-- 1. To run, a job needs its target's row in `target_lock`, which has room for one job.
-- 2. To block a job, the caller must hold a lock on what it is blocked behind, so that this cannot end unseen. Where somebody
--    else has that locked, the job stays available and a later claim decides.
-- 3. Making a job available is always safe: a claim blocks it again where it came too early.

-- Takes the targets' locks for some available jobs that the caller has locked. Returns the jobs that may run; blocks the
-- others, and with them the later jobs of the same targets, so that no claim reads them again.
create function lock_targets(jobs bigint[]) returns bigint[] language plpgsql as $$
declare
    runnable bigint[];
    waiting  text[];
begin
    if not exists (select from ready r where r.id = any (jobs) and r.target is not null) then
        return jobs;
    end if;
    -- In the order of the targets, so that two claims cannot wait for each other.
    insert into target_lock (target, job_id)
    select r.target, r.id from ready r
    where r.id = any (jobs) and r.target is not null
      and lock_holder(r.target) is null and first_waiting(r.target, r.id) is null
    order by r.target
    on conflict (target) do nothing;

    runnable := array(
        select r.id from ready r left join target_lock t on t.target = r.target
        where r.id = any (jobs) and (r.target is null or t.job_id = r.id)
        order by array_position(jobs, r.id));
    waiting := array(select distinct r.target from ready r where r.id = any (jobs) and r.id <> all (runnable));
    if waiting <> '{}' then
        perform block_behind(waiting);
        -- Where neither a lock nor an available job is in front, the first blocked job was left behind by a cancel.
        perform unblock_targets(waiting);
    end if;
    return runnable;
end
$$;

-- The job that has a target's lock; null where none has.
create function lock_holder(target text) returns bigint language sql stable as $$
    select t.job_id from target_lock t where t.target = $1
$$;

-- The first job of a target below an id that is available or blocked.
create function first_waiting(target text, below bigint) returns bigint language sql stable as $$
    select least(
        (select r.id from ready r where r.state = 'available' and r.target = $1 and r.id < $2
         order by r.target, r.id limit 1),
        (select r.id from ready r where r.state = 'blocked' and r.target = $1 and r.id < $2
         order by r.target, r.id limit 1))
$$;

-- Blocks the available jobs of some targets behind the job that has the lock, or where none has it behind the first job.
create function block_behind(targets text[]) returns void language plpgsql as $$
begin
    with begun as materialized (
        select t.target, t.job_id from target_lock t where t.target = any (targets) for key share skip locked
    ), first as materialized (
        select f.target, f.id as job_id from unnest(targets) w(target)
        cross join lateral (
            select r.target, r.id from ready r where r.state = 'available' and r.target = w.target
            order by r.target, r.id limit 1 for key share skip locked) f
        where lock_holder(w.target) is null and first_waiting(f.target, f.id) is null
    ), behind as materialized (
        select r.id from (select b.*, 0 as above from begun b union all select f.*, f.job_id from first f) front
        cross join lateral (
            select r.id from ready r
            where r.state = 'available' and r.target = front.target and r.id > front.above and r.id <> front.job_id
            order by r.target, r.id limit 1000 for update skip locked) r
    )
    update ready r set state = 'blocked' where r.id = any (array(select b.id from behind b));
end
$$;

-- Gives up the locks that some ended jobs have on their targets. Then makes the first blocked job of each target available
-- where no job has the lock and no available job comes before it; leaves rows alone that somebody else has locked. Returns how many.
create function unblock_targets(targets text[], ended bigint[] default '{}') returns int language plpgsql as $$
declare
    unblocked int;
begin
    delete from target_lock t where t.target = any (targets) and t.job_id = any (ended);
    -- A statement of its own, which sees what a claim blocked while the one above waited for it.
    update ready r set state = 'available' where r.id = any (array(
        select f.id from unnest(targets) w(target)
        cross join lateral (
            select r.id from ready r where r.state = 'blocked' and r.target = w.target
            order by r.target, r.id limit 1 for update skip locked) f
        where lock_holder(w.target) is null
          and (select r.id from ready r where r.state = 'available' and r.target = w.target and r.id < f.id
               order by r.target, r.id limit 1) is null));
    get diagnostics unblocked = row_count;
    if unblocked > 0 then
        perform notify_workers();
    end if;
    return unblocked;
end
$$;

-- Notifies, unless the server's queue of notifications is half full: a full one fails the transaction, and a notification
-- is a hint that everybody can do without.
create function try_notify(channel text, message text) returns void language plpgsql as $$
begin
    if pg_notification_queue_usage() < 0.5 then
        perform pg_notify(channel, message);
    end if;
end
$$;

-- Tells idle workers, if there are any, that a job may be claimed or will be due. A caller that prepares its transaction for
-- two-phase commit cannot notify; `set local sheetsync.notify = off` keeps this quiet, and workers find the job by polling.
create function notify_workers() returns void language plpgsql as $$
begin
    if pg_sequence_last_value('idle_flag') = 1 and current_setting('sheetsync.notify', true) is distinct from 'off' then
        perform try_notify('sheetsync_ready', '');
    end if;
end
$$;

-- Tells listeners which of some jobs have ended.
create function notify_finalized(ids bigint[], states text[]) returns void language plpgsql as $$
begin
    if current_setting('sheetsync.notify', true) is distinct from 'off' then
        perform try_notify('sheetsync_finalized', format('{"id": %s, "state": "%s"}', j.id, j.state))
        from unnest(ids, states) j(id, state) where j.state in ('completed', 'discarded', 'cancelled');
    end if;
end
$$;
