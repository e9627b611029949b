//! Doors for those who work for the app: a customer who has signed in must not pass them either.

use crate::program::callers::audience::works_for_the_app;
use crate::program::verify::words;
use crate::program::{EdgeKind, Entry, Program};
use crate::sql::people::{Argument, RoleCall};

use super::{answer, looks_user_up, no_user, refusal};

fn says_staff(name: &str) -> bool {
    words(name).iter().any(|word| works_for_the_app(word))
}

/// Whether only those who work for the app are meant: every page that calls it is theirs, or nothing is seen to call it
/// and its name says so.
pub(in crate::rules) fn is_meant_for_staff(program: &Program, entry: &Entry) -> bool {
    let mut pages = program
        .incoming(entry.function)
        .iter()
        .filter(|edge| edge.kind == EdgeKind::Jump && program.side(edge.call.file).client)
        .map(|edge| edge.call)
        .peekable();
    if pages.peek().is_none() {
        return says_staff(&program.entry_name(entry));
    }
    pages.all(|call| says_staff(&program.file(call.file).path))
}

/// The sentence that lets in those who work for the app alone, by the question that the database's policies ask.
pub(in crate::rules) fn let_staff_in(program: &Program, entry: &Entry) -> String {
    let key = no_user(program, entry, "public");
    let first = match refusal(program, entry) {
        Some(refuse) => format!("Look the caller up, {refuse}{key},"),
        None => "Look the caller up, answer 401 when there is none,".to_owned(),
    };
    let then = match only_staff(program, entry) {
        Some(asks) => {
            format!("and let only those who work for the app go on, as the database's policies do: `{asks}`.")
        }
        None => {
            "and answer 403 unless the app's own list of roles says that they work for it: every customer can sign in."
                .to_owned()
        }
    };
    format!("{first} {then}")
}

/// The statement that turns away whoever does not work for the app, where a question of the policies can be asked with the
/// rights of a server.
pub(in crate::rules) fn only_staff(program: &Program, entry: &Entry) -> Option<String> {
    let refuses = answer(program, entry, 403, "not for you").filter(|_| looks_user_up(program, entry))?;
    let of_app = |history: &&crate::sql::model::History| program.is_database_of(history, entry.place.file);
    let histories = program.database().histories.iter().filter(of_app);
    let mut calls = histories.flat_map(|history| history.questions()).filter_map(|question| question.call);
    let RoleCall { function, arguments } = calls.find(|call| {
        let said = call.arguments.iter().filter_map(|(_, argument)| match argument {
            Argument::Text(text) => Some(text.as_str()),
            Argument::Caller => None,
        });
        // What takes no caller asks for the session, which a server has not.
        call.arguments.iter().any(|(_, argument)| *argument == Argument::Caller)
            && said.chain([call.function.name.as_str()]).any(says_staff)
    })?;
    let handed: Vec<String> = arguments
        .iter()
        .map(|(name, argument)| match argument {
            Argument::Caller => format!("{name}: user.id"),
            Argument::Text(text) => format!("{name}: \"{text}\""),
        })
        .collect();
    Some(format!(
        "const {{ data: ok }} = await client.rpc(\"{}\", {{ {} }}); if (!ok) {refuses}",
        function.name,
        handed.join(", ")
    ))
}
