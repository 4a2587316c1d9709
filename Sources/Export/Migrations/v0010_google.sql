-- The kinds of jobs, and what the workers of an installation share about Google: quotas, failing services, tokens, folders,
-- and as whom a spreadsheet was made.

insert into kind (name, target_name, target_path, restricted, restricted_to, is_reconciled) values
    ('export', 'spreadsheet', '{spreadsheet_id}', 'lax $ ? (exists (@.query) || exists (@.sheets[*].query))',
     'sheetsync_query', true),
    ('format', 'spreadsheet', '{spreadsheet_id}', null, null, false),
    ('folder', null, null, null, null, false),
    -- It keeps a slot for as long as it says.
    ('noop', null, null, 'lax $.sleep_ms ? (@ > 0)', 'sheetsync_operator', false);

-- A sync that mirrors into a new spreadsheet goes on in that one.
update kind set goes_on_when = 'lax $ ? (exists (@.title) && (@.mode == "mirror" || exists (@.sheets[*])
                                   && !exists (@.sheets[*] ? (!(@.mode == "mirror")))))',
                goes_on_without = '{title,folder,folder_id,copy_of}'
where name = 'export';

-- What is left of Google's quotas. Google counts in windows that follow each other and names the beginning of one when it
-- refuses a call; until then windows are taken to begin at multiples of their length. The calls of a window are spread over
-- it as slots at equal distances: a full queue uses all of them, and Google never sees a burst.
create table google_quota (
    name          text   collate "C" primary key, -- what is counted and for whom, such as sheets_writes/project
    configured    int              not null,    -- calls a window by the settings
    span          interval         not null,    -- the length of a window
    window_offset double precision not null default 0, -- seconds from a multiple of the length to the window's beginning
    window_index  bigint           not null default 0, -- the window that `used` belongs to, counted since 1970
    used          int              not null default 0, -- slots of it that were granted to workers or passed for good
    calls         int              not null default 0, -- those of them that were granted
    burst         int,                          -- how many slots that nobody used are caught up; null for all
    observed      int,                          -- the lower limit that Google named when it refused a call
    observed_at   timestamptz,
    closed_until  timestamptz                   -- the end of the window in which Google refused a call
);

-- Services that fail, and identities that Google refuses: claims of what needs them wait.
create table google_breaker (
    name   text        collate "C" primary key, -- the service and the account
    reason text        not null,
    since  timestamptz not null default now(),
    until  timestamptz not null                 -- when the next call tries it again
);

-- Until when Google takes the access token of each account.
create table google_token (
    account text        collate "C" primary key,
    until   timestamptz not null
);

-- Folders that were made or adopted in Drive. The id is written before the folder is made; made_at is null until then.
create table folder (
    account text        collate "C" not null,   -- whose Drive
    parent  text        collate "C" not null,   -- the parent's id, or root
    name    text        collate "C" not null,
    id      text        collate "C" not null,
    made_at timestamptz,
    primary key (account, parent, name)
);

-- As whom a spreadsheet was made, where an installation works as several identities; nobody else may see it.
create table spreadsheet_identity (
    spreadsheet_id text collate "C" primary key,
    account        text not null
);

-- What mirrors wrote into sheets the last time. Rows and results are digests; names are those that the payloads have anyway.
create table mirror_base (
    spreadsheet_id text collate "C" not null,
    sheet          text collate "C" not null,   -- the name on the tab, in small letters
    sheet_id       int         not null,        -- Google's number of the sheet
    definition     text collate "C" not null,   -- a digest of the columns and the key: each has a base of its own
    result         text        not null,        -- a digest of all rows; empty where somebody may have written since
    rows           int         not null,
    login          text        not null,        -- whose job it was
    time_zone      text        not null,        -- in which the spreadsheet shows times
    url            text        not null,
    head           jsonb       not null,        -- what the header showed and how the columns are formatted
    base           bytea       not null,        -- for each row 16 bytes of its key's digest and 16 of its cells', and 4 a cell
    pending        bytea       not null default '', -- the same of the rows that a write under way brings
    read_at        timestamptz not null,        -- when the whole sheet was read the last time
    used_at        timestamptz not null default now(),
    primary key (spreadsheet_id, sheet, definition)
);

-- A quota at a moment: the window's index, the calls that are allowed in it, how many of its slots are used or passed, how
-- many calls were made, how many slots have come by now, in how many seconds the next one comes and in how many the window
-- ends.
--
-- The slots lie between 1/120 and 19/20 of the window, and nothing is granted in its last 1/30, because a call takes time to
-- reach Google and the clocks differ. Slots come 1/60 early, so that a large quota is not asked for each call. Of slots that
-- nobody used at most `burst` are caught up, null for all.
create function google_quota_at(q google_quota, moment timestamptz, out index bigint, out allowed int, out used int,
                                out calls int, out due int, out next_in float8, out ends_in float8)
language plpgsql stable as $$
declare
    length      float8 := extract(epoch from q.span);
    guard_start float8 := length / 120;
    guard_end   float8 := length / 30;
    lead        float8 := length / 60;
    since_start float8 := extract(epoch from moment) - q.window_offset;
    distance    float8;                         -- between two slots
begin
    index := floor(since_start / length);
    since_start := since_start - index * length;
    ends_in := length - since_start;
    allowed := least(q.configured, q.observed);
    used := case when q.window_index = index then q.used else 0 end;
    calls := case when q.window_index = index then q.calls else 0 end;
    distance := (length * 0.95 - guard_start) / allowed;
    due := case when moment < q.closed_until or since_start < guard_start or ends_in < guard_end then 0
                else least(allowed, 1 + floor((since_start - guard_start + lead) / distance)) end;
    used := greatest(used, due - q.burst);
    next_in := case when used >= allowed or ends_in < guard_end then ends_in + guard_start
                    else greatest(guard_start, guard_start - lead + used * distance) - since_start end;
    next_in := greatest(next_in, extract(epoch from q.closed_until - moment));
end
$$;

-- Takes up to `wanted` calls from all the quotas named, and not fewer than `at_least`, after giving back what is left of an
-- earlier grant. Returns how many were granted, when and for how many seconds they are good, and where it is less than was
-- wanted the seconds until there may be more.
create function take_quota(names text[], configured int[], span_seconds float8, burst int, wanted int, at_least int,
                           unused int, granted_at float8, out granted int, out at float8, out good_for float8,
                           out wait float8) language plpgsql security definer as $$
#variable_conflict use_variable
declare
    span   interval := make_interval(secs => span_seconds);
    moment timestamptz;
    one    record;
begin
    insert into google_quota as q (name, configured, span, burst)
    select n.name, n.configured, span, burst from unnest(names, configured) n(name, configured) order by n.name
    on conflict on constraint google_quota_pkey do nothing;
    perform from google_quota q where q.name = any (names) order by q.name for update;
    -- Only now, because waiting for the lock took time.
    moment := clock_timestamp();
    at := extract(epoch from moment);
    -- Settings change, and nobody tells when Google raises a limit that it lowered.
    update google_quota q
    set configured = n.configured, span = span, burst = burst, observed = null, observed_at = null
    from unnest(names, configured) n(name, configured)
    where q.name = n.name
      and (q.observed_at < now() - interval '1 hour' or (q.configured, q.span, q.burst) is distinct from (n.configured, span, burst));
    if unused > 0 then
        perform return_quota(names, unused, granted_at);
    end if;
    granted := wanted;
    for one in
        select v.* from google_quota q cross join lateral google_quota_at(q, moment) v where q.name = any (names)
    loop
        granted := least(granted, one.due - one.used);
        good_for := least(good_for, one.ends_in - span_seconds / 60);
        if one.due - one.used < wanted then
            wait := greatest(wait, one.next_in);
        end if;
    end loop;
    if granted < at_least then
        granted := 0;
        return;
    end if;
    update google_quota q set (window_index, used, calls) = (
        select v.index, v.used + granted, v.calls + granted from google_quota_at(q, moment) v)
    where q.name = any (names);
end
$$;

-- Gives back what is left of a grant, unless its window is over.
create function return_quota(names text[], unused int, granted_at float8) returns void
language sql security definer as $$
    update google_quota q set used = greatest(q.used - unused, 0), calls = greatest(q.calls - unused, 0)
    where q.name = any (names) and q.window_index = (google_quota_at(q, to_timestamp(granted_at))).index
$$;

-- Remembers what Google said when it refused a call: what it allows, when its window began, and for how long nothing is free.
create function mark_exhausted(name text, allowed int, began float8, seconds float8) returns void
language sql security definer as $$
    update google_quota q
    set observed = case when allowed < q.configured then greatest(allowed, 1) else q.observed end,
        observed_at = case when allowed < q.configured then now() else q.observed_at end,
        window_offset = coalesce(mod(began::numeric, extract(epoch from q.span)::numeric)::float8, q.window_offset),
        closed_until = greatest(q.closed_until, clock_timestamp() + make_interval(secs => seconds))
    where q.name = $1
$$;

-- The quotas as they stand: the calls allowed and made in a window, how many are free now, and in how many seconds one is
-- where none is.
create view report_quota as
select q.name, v.allowed, v.calls as used, greatest(v.due - v.used, 0) as free, q.observed is not null as is_observed,
       case when v.due <= v.used then greatest(v.next_in, 0) end as free_in
from google_quota q cross join lateral google_quota_at(q, clock_timestamp()) v order by q.name;

create view report_breaker as
select name, reason, to_char(since at time zone 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') as since,
       extract(epoch from until - clock_timestamp()) as retry_in
from google_breaker order by google_breaker.since limit 100;

create view report_token as
select account, extract(epoch from until - clock_timestamp())::float8 as seconds from google_token order by account;

-- What of Google may keep a job waiting, for everybody who may enqueue one.
create function google_state() returns jsonb language sql stable security definer as $$
    select jsonb_build_object('breakers', (select coalesce(jsonb_agg(to_jsonb(b)), '[]') from report_breaker b),
                              'quotas', (select coalesce(jsonb_agg(to_jsonb(q)), '[]') from report_quota q))
$$;

select secure_functions();
grant execute on function google_state()
    to sheetsync_producer, sheetsync_query, sheetsync_worker, sheetsync_operator;
grant execute on function
    take_quota(text[], int[], float8, int, int, int, int, float8), return_quota(text[], int, float8),
    mark_exhausted(text, int, float8, float8)
    to sheetsync_worker;
grant execute on function google_quota_at(google_quota, timestamptz) to sheetsync_worker, sheetsync_operator;
grant select, insert, update, delete on google_breaker, google_token, folder, spreadsheet_identity, mirror_base
    to sheetsync_worker;
grant select on report_quota, report_breaker, report_token to sheetsync_worker, sheetsync_operator;
grant select on google_quota, google_breaker, google_token, folder, spreadsheet_identity, mirror_base to sheetsync_operator;
