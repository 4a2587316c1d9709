-- What workers do now and then: take back jobs of dead workers, unblock jobs that were left behind, look for what cancelled
-- jobs have made, remove old jobs.

-- Takes back the jobs of workers that have not shown a sign of life for some seconds, as `finish` does with those that are lost.
-- Returns the states that the jobs are in now.
create function reclaim(seconds float8) returns table (id bigint, state text) language plpgsql security definer as $$
#variable_conflict use_column
declare
    dead bigint;
begin
    delete from worker w where w.epoch = any (array(
        select x.epoch from worker x where x.beat_at < clock_timestamp() - make_interval(secs => seconds)
        for update skip locked));
    for dead in
        select distinct l.epoch from lease l where not exists (select from worker w where w.epoch = l.epoch)
    loop
        return query
        select f.id, f.state from finish(dead, (
            select jsonb_agg(jsonb_build_object(
                'id', l.id, 'lease_number', l.number, 'outcome', 'lost', 'error', jsonb_build_object(
                    'code', 'queue.worker_lost', 'retryable', l.losses < 4,
                    'message', case
                        when l.losses < 2 then 'The worker that ran this attempt stopped giving signs of life; the job was taken '
                            'from it, which costs no attempt.' || case l.losses when 1 then ' From now on it runs alone.' else '' end
                        when l.losses < 4 then 'The worker that ran this attempt, and nothing else, stopped giving signs of life; '
                            'the job was taken from it.'
                        else 'Five workers stopped giving signs of life while they ran this job, the last three while they ran '
                            'nothing else, so it is most likely what ends them; it is not run again.' end)))
            -- Not in the way of another reclaim, nor of what the dead worker still says.
            from (select * from lease x where x.epoch = dead for update skip locked) l)) f;
    end loop;
end
$$;

-- Unblocks the first job of each target where it is blocked although nothing is in front of it, of a thousand targets at most.
-- A cancel leaves such a job behind that had it locked just when it should have been unblocked and was then rolled back, or
-- that did not see it in an old snapshot.
create function unblock_orphans() returns int language plpgsql security definer as $$
begin
    return unblock_targets(array(
        with recursive blocked as (
            (select r.target from ready r where r.state = 'blocked' order by r.target limit 1)
            union all
            select (select r.target from ready r where r.state = 'blocked' and r.target > b.target order by r.target limit 1)
            from blocked b where b.target is not null
        )
        select b.target from blocked b where b.target is not null and lock_holder(b.target) is null limit 1000));
end
$$;

-- Removes up to `most` jobs that ended longer ago than some seconds, with all that is known of them. Returns how many.
create function remove_finished(seconds float8, most int) returns int language plpgsql security definer as $$
declare
    old bigint[] := array(
        select o.id from outcome o where o.finalized_at < now() - make_interval(secs => seconds)
        order by o.finalized_at limit most for update skip locked);
begin
    delete from outcome o where o.id = any (old);
    delete from attempt_error e where e.job_id = any (old);
    delete from progress p where p.id = any (old);
    delete from cancel_request c where c.id = any (old);
    delete from job j where j.id = any (old);
    return cardinality(old);
end
$$;

-- Takes one ended job of some kinds for a look at what it has made. Unless somebody reconciles it, the next look is `pause`
-- seconds from now, and later and later where many were in vain. Its end is told in microseconds since 1970, a number that
-- comes back as it went out, whatever the session's DateStyle.
create function claim_unreconciled(kinds text[], pause float8)
returns table (id bigint, uid uuid, attempt int, kind text, payload jsonb, max_attempts int, enqueued_by name, owner text,
               target text, checkpoint jsonb, finalized_at bigint, ended_ago float8)
language plpgsql security definer as $$
#variable_conflict use_column
begin
    return query
    with due as materialized (
        select o.id from outcome o
        where o.reconcile_at <= now() and (select j.kind from job j where j.id = o.id) = any (kinds)
        order by o.reconcile_at limit 1 for update of o skip locked
    ), taken as (
        update outcome o
        set reconcile_at = now() + greatest(make_interval(secs => pause), (now() - o.finalized_at) / 4)
        where o.id = any (array(select d.id from due d)) returning o.*
    )
    select j.id, j.uid, t.attempt::int, j.kind, j.payload, j.max_attempts::int, j.enqueued_by, j.owner, j.target,
           p.checkpoint, (extract(epoch from t.finalized_at) * 1000000)::bigint, extract(epoch from clock_timestamp() - t.finalized_at)::float8
    from taken t join job j on j.id = t.id left join progress p on p.id = t.id;
end
$$;

-- Ends the looks for what a job has made; what was found becomes its result, null leaves that as it is. False: the job was
-- retried since, or another worker was first. Waits for nobody.
create function reconcile(id bigint, finalized_at bigint, result jsonb) returns boolean
language plpgsql security definer as $$
declare
    ended_as text;
begin
    update outcome o set reconcile_at = null, result = coalesce(reconcile.result, o.result)
    where o.id = any (array(
        select x.id from outcome x
        where x.id = reconcile.id and x.reconcile_at is not null
          and (extract(epoch from x.finalized_at) * 1000000)::bigint = reconcile.finalized_at
        for update skip locked))
    returning o.state into ended_as;
    if result is not null then
        perform notify_finalized(array[id], array[ended_as]) where ended_as is not null;
    end if;
    return ended_as is not null;
end
$$;
