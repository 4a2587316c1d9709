-- Why a daemon could not start, for whoever asks why nobody works; the last failure of each machine.
create table failed_start (
    machine text primary key,
    at      timestamptz not null,
    error   text not null
);

-- Notes why a daemon could not start, or with null that one has: then nobody needs the old reasons.
create function note_start(machine text, error text) returns void
language sql security definer set search_path from current
as $$
    delete from failed_start f where note_start.error is null or f.at < now() - interval '30 days';
    insert into failed_start (machine, at, error)
    select left(note_start.machine, 200), clock_timestamp(), left(note_start.error, 2000) where note_start.error is not null
    on conflict on constraint failed_start_pkey do update set at = excluded.at, error = excluded.error
$$;

-- The last of them; it concerns everybody whose jobs wait.
create function last_failed_start() returns table(machine text, at text, error text)
language sql stable security definer set search_path from current
as $$
    select f.machine, to_char(f.at at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), f.error
    from failed_start f order by f.at desc limit 1
$$;

revoke all on function note_start(text, text), last_failed_start() from public;
grant execute on function note_start(text, text) to sheetsync_worker;
grant execute on function last_failed_start()
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
