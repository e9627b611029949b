//! Words for what there are few of, and for what holds a few of something.

/// What an app has a few of. Nouns without their `s`.
pub(super) const FEW: &[&str] = &[
    "addon",
    "admin",
    "administrator",
    "assistant",
    "attachment",
    "badge",
    "bridge",
    "calendar",
    "candidate",
    "category",
    "categorie",
    "channel",
    "connection",
    "connector",
    "credential",
    "date",
    "day",
    "endpoint",
    "format",
    "instance",
    "integration",
    "language",
    "locale",
    "mention",
    "model",
    "moderator",
    "month",
    "owner",
    "placement",
    "plan",
    "platform",
    "region",
    "role",
    "selection",
    "setting",
    "sheet",
    "size",
    "slide",
    "step",
    "tab",
    "tier",
    "tile",
    "type",
    "variant",
    "webhook",
    "worksheet",
];

/// Words that say so wherever they stand in a name: `adminUsers`, `mentionedEmails`.
pub(super) const FEW_ANYWHERE: &[&str] = &[
    "admin",
    "admins",
    "family",
    "guardians",
    "moderator",
    "moderators",
    "mention",
    "mentioned",
    "mentions",
    "related",
];

/// Words behind a noun that only say that there are several: `all_tiers_db`.
pub(super) const FILLERS: &[&str] = &["db", "list", "rows", "records", "data", "array", "arr", "raw"];

/// Whose tools, and in whose name accounts are kept: `toolCalls`, `plaidAccounts`.
pub(super) const PAIRS: &[(&str, &[&str])] =
    &[("calls", &["tool", "function"]), ("accounts", &["bank", "ad", "social", "linked", "connected"])];

/// What somebody puts together by hand: what it holds are a few.
pub(super) const HOLDERS: &[&str] =
    &["cart", "basket", "order", "booking", "invoice", "subscription", "quote", "bundle", "line"];

/// Words of whose rows they are, when one of them is named: `filter(account=client)`.
pub(super) const PERSONS: &[&str] =
    &["client", "customer", "user", "owner", "profile", "person", "member", "patient", "subscriber", "student"];

/// What holds a few of whatever points at it: the lines of an invoice, the files of a ticket.
pub(super) const THINGS: &[&str] = &[
    "order",
    "booking",
    "reservation",
    "appointment",
    "invoice",
    "quote",
    "estimate",
    "proposal",
    "contract",
    "submission",
    "delivery",
    "debrief",
    "application",
    "claim",
    "ticket",
    "thread",
    "message",
    "task",
    "deal",
    "household",
    "vehicle",
    "cart",
];

/// What holds few people and companies, though much else.
pub(super) const SHARED: &[&str] =
    &["account", "project", "property", "listing", "job", "home", "house", "document", "case", "request"];

/// People and companies that take part in one thing.
pub(super) const PARTAKERS: &[&str] = &[
    "professional",
    "company",
    "companies",
    "member",
    "membership",
    "invite",
    "invitation",
    "collaborator",
    "contact",
    "participant",
    "assignee",
    "client",
    "party",
    "parties",
    "bidder",
    "contractor",
];

/// Whose people and connections are a few, though they may have thousands of customers.
pub(super) const FIRMS: &[&str] = &[
    "tenant",
    "business",
    "organization",
    "organisation",
    "org",
    "company",
    "team",
    "workspace",
    "agency",
    "clinic",
    "restaurant",
    "shop",
    "store",
    "merchant",
    "vendor",
    "location",
];

/// What a firm has few of.
pub(super) const OF_FIRMS: &[&str] = &[
    "account",
    "integration",
    "connection",
    "recipient",
    "admin",
    "manager",
    "number",
    "calendar",
    "channel",
    "webhook",
    "template",
    "domain",
    "mailbox",
    "inbox",
    "page",
    "device",
    "printer",
    "terminal",
];

/// Words of elements that stand for many: what they hold are not the parts of one thing.
pub(super) const GROUPS: &[&str] = &[
    "page",
    "batch",
    "chunk",
    "group",
    "segment",
    "tenant",
    "org",
    "organization",
    "company",
    "team",
    "bucket",
    "shop",
    "store",
    "list",
    "result",
    "res",
    "response",
    "part",
];

/// Methods of collections and queries: what they are called on is the collection.
pub(super) const PASSES: &[&str] = &[
    "filter",
    "map",
    "flatMap",
    "sort",
    "order",
    "order_by",
    "orderBy",
    "select",
    "eq",
    "neq",
    "in",
    "in_",
    "is",
    "not",
    "or",
    "gte",
    "lte",
    "gt",
    "lt",
    "where",
    "filter_by",
    "all",
    "findMany",
    "findAll",
    "find",
    "query",
    "from",
    "table",
    "collection",
    "returns",
    "execute",
    "values",
    "entries",
    "keys",
    "items",
    "exec",
    "toArray",
    "slice",
    "concat",
];
