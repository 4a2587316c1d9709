-- Rights: nothing for everybody, and for each role only what its work needs.
do $$
declare
    here text := current_schema;
begin
    execute format('revoke all on all functions in schema %I from public', here);
    execute format(
        'grant usage on schema %I to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator', here);
end
$$;
grant select on jobs to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function may_see_all(), cancel(bigint), retry(bigint)
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function enqueue(text, jsonb, text, timestamptz, int, text, int), enqueue_many(jsonb)
    to sheetsync_producer, sheetsync_query;
grant execute on function
    enter(bigint, text, text, int, text[]), leave(bigint), claim(bigint, int, jsonb, text, bigint[], boolean),
    arm(), disarm(bigint), finish(bigint, jsonb, boolean), beat(bigint, int, text),
    take_unsettled(text[], float8, timestamptz), settle(bigint, timestamptz, jsonb),
    reclaim(float8, boolean), open_forgotten(),
    remove_finished(float8, int, timestamptz), report(bigint, bigint, bigint, text, bigint, bigint, jsonb),
    remember_folder(text, text, text, text, boolean), find_folder(text, text, text), forget_folder(text, text),
    set_largest_payload(bigint)
    to sheetsync_worker;
grant execute on function pause_queue(text), resume_queue(text) to sheetsync_operator;
grant select on kind, setting, schema_migration
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant select on job, ready, lease, head, outcome, failure, progress, cancel_request, pause, worker, folder, maker
    to sheetsync_operator;
-- What the daemon's own health report is read from.
grant select on ready, lease, outcome, failure, pause, worker to sheetsync_worker;
