-- Rights and settings of the functions.

-- Secures the schema's functions; each step that makes functions ends with a call of this. Nobody may execute a function
-- unless it is granted. Those that others may call (security definer) run with a fixed search_path and these planner settings:
--
-- A table of the queue may look empty in the statistics and hold a hundred thousand dead rows, or live ones a moment later.
-- The planner would then read all of it, or hash all of `job`, because each plan seems to cost nothing. So plans that read
-- whole tables, and sorts that replace an index's order, are disabled, and nested loops over indexes remain. A disabled plan
-- node counts 10^10, which would start the compiler in each call, so JIT is off too. The generic plan is as good as any
-- other then, and saves planning.
create function secure_functions() returns void language plpgsql as $$
declare
    function record;
begin
    for function in
        select p.oid::regprocedure as signature, p.prosecdef as is_entry
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace where n.nspname = current_schema
    loop
        execute format('revoke all on function %s from public', function.signature);
        if function.is_entry then
            execute format(
                'alter function %s set search_path = %I, pg_temp set plan_cache_mode = force_generic_plan set jit = off '
                'set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off '
                'set enable_sort = off', function.signature, current_schema);
        end if;
    end loop;
end
$$;

select secure_functions();

do $$
begin
    execute format(
        'grant usage on schema %I to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator',
        current_schema);
end
$$;
grant select on jobs, kind, setting, schema_migration, report_database
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function may_see_all(), cancel(bigint), retry(bigint), wait_state(bigint)
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function enqueue(text, jsonb, text, timestamptz, int, text, int), enqueue_many(jsonb)
    to sheetsync_producer, sheetsync_query;
grant execute on function
    register_worker(bigint, text, text, int, text[]), deregister_worker(bigint), claim(bigint, int, jsonb, jsonb, bigint, boolean),
    mark_idle(), mark_busy(bigint), finish(bigint, jsonb, boolean),
    heartbeat(bigint, int, boolean, text, text, bigint[], float8, bigint),
    report_progress(bigint, bigint, bigint, text, bigint, bigint, jsonb),
    claim_unreconciled(text[], float8), reconcile(bigint, bigint, jsonb), reclaim(float8), unblock_orphans(),
    remove_finished(float8, int), set_max_payload_bytes(bigint)
    to sheetsync_worker;
grant execute on function pause_queue(text), resume_queue(text), limit_login(text, int, int, int) to sheetsync_operator;
grant select on report_kind, report_total, report_running, report_worker, report_error, report_discard, report_wait,
    report_pause, report_failed_start, report_sequence, report_login to sheetsync_worker, sheetsync_operator;
grant select, insert, update, delete on failed_start to sheetsync_worker;
-- For an operator's own questions in psql.
grant select on job, ready, lease, target_lock, outcome, attempt_error, progress, cancel_request, pause, worker,
    login_limit
    to sheetsync_operator;
