//! What migrations leave behind: small histories, each for something that real ones contain.

use seamcheck::finding::FileId;
use seamcheck::names::Name;
use seamcheck::sql::model::{Id, RowSecurity};
use seamcheck::sql::{self, History, Script, Table};

/// The history that some files build, one after the other.
fn built(files: &[&str]) -> History {
    let scripts: Vec<Script> = files.iter().map(|text| sql::read(text)).collect();
    let paths: Vec<String> =
        (0..files.len()).map(|at| format!("supabase/migrations/2026010{at}000000_x.sql")).collect();
    let numbered = scripts.iter().zip(&paths).enumerate();
    let all: Vec<_> = numbered.map(|(at, (script, path))| (FileId(at as u32), path.as_str(), script)).collect();
    let mut database = sql::database(&all, &|_| false, &|_| None, &|_| None);
    database.histories.remove(0)
}

fn id(name: &str) -> Id {
    Id { schema: Name::new("public"), name: Name::new(name) }
}

fn table<'h>(history: &'h History, name: &str) -> &'h Table {
    history.table(id(name)).unwrap_or_else(|| panic!("no table {name}"))
}

fn jobs(files: &[&str]) -> Vec<String> {
    built(files).jobs.iter().map(|job| job.name.map_or_else(|| "?".to_owned(), |name| name.to_string())).collect()
}

fn buckets(text: &str) -> Vec<(String, bool)> {
    built(&[text]).buckets.iter().map(|(name, bucket)| (name.to_string(), bucket.public)).collect()
}

fn published(text: &str) -> Option<Vec<String>> {
    let history = built(&[text]);
    let tables = history.publications.get(&Name::new("supabase_realtime"))?;
    Some(
        tables.as_ref().map_or_else(|| vec!["*".to_owned()], |tables| tables.iter().map(|table| table.sql()).collect()),
    )
}

const TWO_JOBS: &str = "select cron.schedule('tick', '0 * * * *', $$ select net.http_post(url := 'https://a.supabase.co/functions/v1/tick') $$);
select cron.schedule('sweep', '5 * * * *', 'select sweep()');";

#[test]
fn jobs_are_unscheduled_in_every_way() {
    assert_eq!(jobs(&[TWO_JOBS]), ["tick", "sweep"]);
    let ways = [
        "select cron.unschedule('tick');",
        "select cron.unschedule(jobid) from cron.job where jobname = 'tick';",
        "SELECT cron.unschedule(jobid) FROM cron.job WHERE jobname IN ('tick', 'other');",
        "select cron.unschedule((select jobid from cron.job where jobname = 'tick'));",
        "select cron.unschedule(jobname) from cron.job where jobname like 'ti%';",
        "select cron.unschedule('tick') where exists (select 1 from cron.job where jobname = 'tick');",
        "delete from cron.job where jobname = 'tick';",
        "do $$ begin perform cron.unschedule('tick'); exception when others then null; end $$;",
        "do $$ begin if exists (select 1 from cron.job where jobname = 'tick') then perform cron.unschedule('tick'); end if; end $$;",
        "do $$ begin perform cron.unschedule(jobid) from cron.job where jobname = 'tick'; end $$;",
        "do $$ declare id bigint; begin select jobid into id from cron.job where jobname = 'tick'; perform cron.unschedule(id); end $$;",
        "do $$ declare r record; begin for r in select jobid from cron.job where jobname = 'tick' loop perform cron.unschedule(r.jobid); end loop; end $$;",
        "select cron.unschedule(jobid) from cron.job where command like '%functions/v1/tick%';",
    ];
    for way in ways {
        assert_eq!(jobs(&[TWO_JOBS, way]), ["sweep"], "{way}");
    }
    assert_eq!(jobs(&[TWO_JOBS, "select cron.unschedule(jobid) from cron.job;"]), Vec::<String>::new());
    assert_eq!(jobs(&[TWO_JOBS, "select jobid, jobname from cron.job where jobname = 'tick';"]), ["tick", "sweep"]);
}

#[test]
fn jobs_are_scheduled_in_every_way() {
    let ways = [
        "do $$ begin perform cron.schedule('tick', '0 * * * *', 'select net.http_post(url := ''https://a/tick'')'); end $$;",
        "do $do$ begin perform cron.schedule('tick', '0 * * * *', $job$ select net.http_post(url := 'https://a/tick') $job$); end $do$;",
        "do $$ begin if not exists (select 1 from cron.job where jobname = 'tick') then perform cron.schedule('tick', '0 * * * *', $j$select net.http_post('https://a/tick')$j$); end if; end $$;",
        "select cron.schedule(job_name => 'tick', schedule => '0 * * * *', command => $$select net.http_post(url => 'https://a/tick')$$);",
        "create function run_tick() returns void language sql as $$ select net.http_post(url := 'https://a/tick') $$; select cron.schedule('tick', '0 * * * *', 'select run_tick()');",
        "select extensions.cron.schedule('other', '0 * * * *', 'x'); select cron.schedule('tick', '0 * * * *', format($$select net.http_post(url := 'https://a/tick')$$));",
    ];
    for way in ways {
        let history = built(&[way]);
        let job =
            history.jobs.iter().find(|job| job.name == Some(Name::new("tick"))).unwrap_or_else(|| panic!("{way}"));
        assert_eq!(job.schedule.as_deref(), Some("0 * * * *"), "{way}");
        assert_eq!(job.requests.first().map(|request| &*request.url), Some("https://a/tick"), "{way}");
    }
}

#[test]
fn a_job_that_is_there_is_not_scheduled_again() {
    let guarded = "do $$ begin if not exists (select 1 from cron.job where jobname = 'tick') then
        perform cron.schedule('tick', '30 4 * * *', 'select 1'); end if; end $$;";
    let schedule = |files: &[&str]| {
        let history = built(files);
        let tick = history.jobs.iter().find(|job| job.name == Some(Name::new("tick")));
        tick.and_then(|job| job.schedule.as_deref().map(str::to_owned))
    };
    assert_eq!(schedule(&[guarded]).as_deref(), Some("30 4 * * *"));
    assert_eq!(schedule(&[TWO_JOBS, guarded]).as_deref(), Some("0 * * * *"));
    assert_eq!(
        schedule(&[TWO_JOBS, "select cron.schedule('tick', '7 1 * * *', 'select 2');"]).as_deref(),
        Some("7 1 * * *")
    );
}

#[test]
fn buckets_are_made_changed_and_dropped() {
    let open = [("a".to_owned(), true)];
    let shut = [("a".to_owned(), false)];
    assert_eq!(buckets("insert into storage.buckets (id, name, public) values ('a', 'a', true);"), open);
    assert_eq!(buckets("insert into storage.buckets (id, name) values ('a', 'a');"), shut);
    assert_eq!(
        buckets(
            "insert into storage.buckets (id, name, public) select 'a', 'a', true where not exists (select 1 from storage.buckets where id = 'a');"
        ),
        open
    );
    assert_eq!(
        buckets(
            "insert into storage.buckets (id, name, public) values ('a', 'a', false) on conflict (id) do nothing; update storage.buckets set file_size_limit = 5, public = true where id in ('a');"
        ),
        open
    );
    let made = "insert into storage.buckets (id, name, public) values ('a', 'a', true);\n";
    let again = |tail: &str| {
        buckets(&format!("{made}insert into storage.buckets (id, name, public) values ('a', 'a', false) {tail};"))
    };
    assert_eq!(again("on conflict (id) do nothing"), open);
    assert_eq!(again("on conflict (id) do update set public = excluded.public"), shut);
    assert_eq!(again("on conflict (id) do update set public = false"), shut);
    assert_eq!(again("on conflict (id) do update set name = excluded.name"), open);
    assert_eq!(again(""), open);
    assert_eq!(buckets(&format!("{made}update storage.buckets set public = false where name = 'a';")), shut);
    assert_eq!(buckets(&format!("{made}update storage.buckets set public = false;")), shut);
    assert_eq!(buckets(&format!("{made}delete from storage.buckets where id = 'a';")), []);
    assert_eq!(buckets("select storage.create_bucket('a', '{\"public\": true}');").len(), 0);
}

#[test]
fn publications_are_set_added_to_and_dropped() {
    let start = "create table a (id int); create table b (id int); create table c (id int);\n";
    let after = |text: &str| published(&format!("{start}{text}"));
    let some = |names: &[&str]| Some(names.iter().map(|name| format!("public.{name}")).collect::<Vec<_>>());
    assert_eq!(after("alter publication supabase_realtime add table a, public.b;"), some(&["a", "b"]));
    assert_eq!(after("alter publication supabase_realtime add table a, table b;"), some(&["a", "b"]));
    assert_eq!(after("alter publication supabase_realtime add table only a;"), some(&["a"]));
    assert_eq!(
        after("alter publication supabase_realtime add table a, b; alter publication supabase_realtime drop table a;"),
        some(&["b"])
    );
    assert_eq!(
        after("alter publication supabase_realtime add table a; alter publication supabase_realtime set table b, c;"),
        some(&["b", "c"])
    );
    assert_eq!(
        after(
            "alter publication supabase_realtime add table a; drop publication if exists supabase_realtime; create publication supabase_realtime;"
        ),
        some(&[])
    );
    assert_eq!(
        after("drop publication supabase_realtime; create publication supabase_realtime for all tables;"),
        Some(vec!["*".to_owned()])
    );
    assert_eq!(after("alter publication supabase_realtime add table a, b; drop table a;"), some(&["b"]));
    assert_eq!(after("alter publication supabase_realtime add table a; alter table a rename to d;"), some(&["d"]));
    assert_eq!(
        after(
            "do $$ begin execute 'alter publication supabase_realtime add table a'; exception when duplicate_object then null; end $$;"
        ),
        some(&["a"])
    );
    assert_eq!(
        after(
            "do $$ declare t text; begin foreach t in array array['a', 'b'] loop execute format('alter publication supabase_realtime add table public.%I', t); end loop; end $$;"
        ),
        some(&["a", "b"])
    );
}

#[test]
fn triggers_go_with_what_they_stand_on() {
    let start = "create table a (id int);
        create function f() returns trigger language plpgsql as $$ begin return new; end $$;
        create trigger t after insert on a for each row execute function f();\n";
    let after = |text: &str| {
        let history = built(&[start, text]);
        history.triggers.iter().map(|trigger| format!("{} {}", trigger.name, trigger.table.name)).collect::<Vec<_>>()
    };
    assert_eq!(after(""), ["t a"]);
    assert_eq!(after("create or replace trigger t after update on public.a execute procedure f('x');"), ["t a"]);
    assert_eq!(
        after(
            "create constraint trigger u after insert on a deferrable initially deferred for each row execute function f();"
        ),
        ["t a", "u a"]
    );
    assert_eq!(after("drop trigger if exists t on public.a cascade;"), Vec::<String>::new());
    assert_eq!(after("drop function f();"), ["t a"]);
    assert_eq!(after("drop function if exists f() cascade;"), Vec::<String>::new());
    assert_eq!(after("drop table a;"), Vec::<String>::new());
    assert_eq!(after("alter table a rename to b;"), ["t b"]);
    assert_eq!(after("alter trigger t on a rename to v;"), ["v a"]);
}

#[test]
fn keys_come_and_go() {
    let unique = |files: &[&str], columns: &[&str]| table(&built(files), "t").is_unique(columns);
    let ways = [
        "create table t (a text unique, b int);",
        "create table t (a text, b int, unique (a));",
        "create table t (a text, b int, constraint one unique nulls not distinct (a));",
        "create table t (a text primary key, b int);",
        "create table t (a text, b int); alter table only public.t add constraint one unique (a);",
        "create table t (a text, b int); alter table if exists t add primary key (a);",
        "create table t (a text, b int); create unique index on t (a);",
        "create table t (a text, b int); create unique index concurrently if not exists one on public.t using btree (a desc nulls last);",
        "create table t (a text, b int); create unique index one on t (a) include (b);",
        "create table t (a text, b int); create unique index one on t (a); alter table t add constraint two unique using index one;",
        "create table t (b int); alter table t add column if not exists a text unique;",
        "create table t (b int); alter table t add column a text, add constraint one unique (a);",
        "create table t (old text unique, b int); alter table t rename column old to a;",
        "create table \"t\" (\"a\" text not null, constraint \"t_a_key\" unique(\"a\"));",
        "create table s (a text unique); alter table s rename to t;",
        "do $$ begin if not exists (select 1 from pg_constraint where conname = 'one') then alter table t2 add constraint one unique (a); end if; end $$; create table t (a text unique);",
        "create table t (a text); do $$ begin alter table t add constraint one unique (a); exception when duplicate_object then null; when duplicate_table then null; end $$;",
    ];
    for way in ways {
        assert!(unique(&[way], &["a", "b"]), "{way}");
        assert!(!unique(&[way], &["b"]), "{way}");
    }
    let gone = [
        "create table t (a text unique); alter table t drop constraint t_a_key;",
        "create table t (a text); create unique index one on t (a); drop index one;",
        "create table t (a text); create unique index one on t (a); drop index concurrently if exists public.one;",
        "create table t (a text unique); alter table t drop column a; alter table t add column a text;",
        "create table t (a text primary key); alter table t drop constraint t_pkey;",
        "create table t (a text, b text, constraint one unique (a)); alter table t drop constraint if exists one, add constraint two unique (a, b);",
        "create table t (a text, b int); create unique index one on t (lower(a));",
        "create table t (a text, b int); create unique index one on t (a) where b > 0;",
        "create table t (a text, b int); create index one on t (a);",
    ];
    for way in gone {
        assert!(!unique(&[way], &["a"]), "{way}");
    }
    let odd = built(&["create table t (a text, b int); create unique index one on t (lower(a));"]);
    assert!(table(&odd, "t").may_be_unique(&["a"]));
}

#[test]
fn leftovers_of_other_dialects_do_not_lose_what_stands_beside_them() {
    let text = "PRAGMA foreign_keys = on;
        CREATE TABLE IF NOT EXISTS `kept` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `code` varchar(20) NOT NULL UNIQUE) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;

        create table public.plain (id int primary key);
        alter table public.plain enable row level security;
        \\connect app
        set statement_timeout = 0;";
    let history = built(&[text]);
    assert!(table(&history, "kept").is_unique(&["code"]));
    assert!(matches!(table(&history, "plain").security, RowSecurity::On(Some(_))));
}

#[test]
fn types_take_along_what_is_made_of_them() {
    const ROLES: &str = "create type app_role as enum ('admin', 'user');
create function has_role(who uuid, role app_role) returns boolean language sql as $$ select true $$;
create table notes (id int);
create policy \"admins\" on notes for select using (has_role(auth.uid(), 'admin'));
create policy \"casts\" on notes for delete using ((select 'admin')::public.app_role is not null);
create policy \"plain\" on notes for insert with check (true);";
    let left = |more: &str| -> Vec<String> {
        let history = built(&[ROLES, more]);
        let mut names: Vec<String> =
            table(&history, "notes").policies.iter().map(|policy| policy.name.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!(left("drop type if exists app_role;"), ["admins", "casts", "plain"]);
    assert_eq!(left("drop type if exists public.app_role cascade;"), ["plain"]);
    let swapped = "alter type public.app_role rename to app_role_old; create type app_role as enum ('user');";
    assert_eq!(left(swapped), ["admins", "casts", "plain"]);
    assert_eq!(left(&format!("{swapped} drop type app_role_old cascade;")), ["plain"]);
    assert_eq!(left(&format!("{swapped} drop type app_role cascade;")), ["admins", "casts", "plain"]);
}

#[test]
fn a_block_is_undone_whole_when_one_of_its_statements_is_refused() {
    let tables = "create table public.a (id int); create table public.b (id int);
        create policy p on public.a for select using (true);";
    let on = |name: &str, block: &str| {
        let history = built(&[tables, block]);
        matches!(table(&history, name).security, RowSecurity::On(_))
    };
    let fails = "alter table public.b enable row level security; create policy p on public.a for select using (true);";
    assert!(on("b", fails), "statements of a file stand alone");
    assert!(!on("b", &format!("do $$ begin {fails} end $$;")));
    // A handler runs when its block is undone; what stands around it stays.
    let handled = format!(
        "do $$ begin alter table public.a enable row level security;
         begin {fails} exception when duplicate_object then null; end; end $$;"
    );
    assert!(on("a", &handled) && !on("b", &handled));
    let whole = format!("do $$ begin {fails} exception when others then null; end $$;");
    assert!(!on("b", &whole));
    let one = "do $$ begin begin create policy p on public.a using (true); exception when others then null; end;
        alter table public.b enable row level security; end $$;";
    assert!(!on("a", one) && on("b", one), "a handled refusal undoes nothing around it");
    let asked = format!(
        "do $$ begin if not exists (select 1 from pg_policies where policyname = 'other') then {fails} end if; end $$;"
    );
    assert!(!on("b", &asked));
    let fine = "do $$ begin create table if not exists public.a (id int); alter table public.b enable row level security; end $$;";
    assert!(on("b", fine), "what is there already is no failure with if not exists");
}

#[test]
fn names_without_a_schema_are_looked_for_in_the_search_path() {
    let history = built(&[
        "create schema app; create table public.shared (id int);
         set search_path to app, public;
         create table orders (id int);
         alter table orders enable row level security;
         alter table shared enable row level security;",
        "create table plain (id int);",
        "set search_path = ''; create table public.kept (id int); set search_path to \"$user\", public; create table usual (id int);",
    ]);
    let orders = history.table(Id { schema: Name::new("app"), name: Name::new("orders") });
    assert!(orders.is_some_and(|table| matches!(table.security, RowSecurity::On(_))));
    assert!(history.table(id("orders")).is_none());
    assert!(matches!(table(&history, "shared").security, RowSecurity::On(_)));
    for name in ["plain", "kept", "usual"] {
        table(&history, name);
    }
}

#[test]
fn a_policy_that_names_a_column_that_is_not_there_is_refused() {
    let tables = "create table public.profiles (id uuid primary key, role text);
        create table public.notes (id int, owner uuid, \"userId\" uuid, body jsonb);";
    let stays = |policy: &str| !table(&built(&[tables, policy]), "notes").policies.is_empty();
    let refused = [
        "create policy p on notes using (auth.uid() = user_id);",
        "create policy p on notes using (userId = auth.uid());",
        "create policy p on notes using (exists (select 1 from profiles p where p.user_id = auth.uid()));",
        "create policy p on notes using (exists (select 1 from public.profiles where profiles.user_id = notes.owner));",
        "create policy p on notes using (exists (select 1 from profiles where user_id = auth.uid() and role = 'admin'));",
        "create policy p on notes for update with check (old.owner = new.owner);",
        "create policy p on notes using (notes.is_public is true);",
    ];
    for policy in refused {
        assert!(!stays(policy), "{policy}");
    }
    let fine = [
        "create policy p on notes using (auth.uid() = owner);",
        "create policy p on notes using (\"userId\" = auth.uid());",
        "create policy p on notes using (exists (select 1 from profiles p where p.id = auth.uid() and role = 'admin'));",
        "create policy p on notes using (exists (select 1 from by_hand where user_id = auth.uid()));",
        "create policy p on notes using (owner is not distinct from id);",
        "create policy p on notes using ((body ->> 'kind') = any (array['a', 'b']) and 'x'::app_role = 'x');",
        "create policy p on notes using (may(who => owner) and current_user = 'x' and current_date > date '2026-01-01');",
        "create policy p on notes using (owner in (select t.id from (select id from profiles) t where gone = 1));",
        "alter table notes add column user_id uuid; create policy p on notes using (auth.uid() = user_id);",
        "create table public.made as select 1 as user_id; create policy p on notes using (owner in (select user_id from made where user_id = owner));",
    ];
    for policy in fine {
        assert!(stays(policy), "{policy}");
    }
}

#[test]
fn conditions_decide_only_what_is_known_in_a_block() {
    let on = |block: &str| {
        let history = built(&["create table public.a (id int);", block]);
        matches!(table(&history, "a").security, RowSecurity::On(_))
    };
    const FAILS: &str = "alter table a add column id int;";
    // Nobody knows whether it runs: then nobody knows that it fails.
    let unsure = format!("do $$ begin alter table a enable row level security; if x() then {FAILS} end if; end $$;");
    assert!(on(&unsure));
    let loops = format!(
        "do $$ declare r record; begin alter table a enable row level security; for r in select * from x() loop {FAILS} end loop; end $$;"
    );
    assert!(on(&loops));
    let never = format!(
        "do $$ begin alter table a enable row level security; if exists (select 1 from pg_policies where policyname = 'no') then {FAILS} end if; end $$;"
    );
    assert!(on(&never));
    let raised = "do $$ begin alter table a enable row level security; raise exception 'no'; end $$;";
    assert!(!on(raised));
    assert!(on("do $$ begin alter table a enable row level security; raise notice 'yes'; return; end $$;"));
    let returned = format!(
        "do $$ begin alter table a enable row level security; if to_regclass('public.a') is not null then return; end if; {FAILS} end $$;"
    );
    assert!(on(&returned));
    let perhaps =
        format!("do $$ begin alter table a enable row level security; if x() then return; end if; {FAILS} end $$;");
    assert!(on(&perhaps));
    // A handler takes only what it names, and runs what it says.
    let other = format!(
        "do $$ begin alter table a enable row level security; begin {FAILS} exception when duplicate_object then null; end; end $$;"
    );
    assert!(!on(&other));
    let runs = format!(
        "do $$ begin {FAILS} exception when duplicate_column then alter table a enable row level security; end $$;"
    );
    assert!(on(&runs));
    // A statement of several actions is done whole or not at all.
    assert!(!on("alter table a enable row level security, add column id int;"));
    // What a function does is undone with it.
    let called = format!(
        "create function f() returns void language plpgsql as $f$ begin execute 'create policy p on a using (true)'; alter table a enable row level security; {FAILS} end $f$; select f();"
    );
    assert!(!on(&called));
}
