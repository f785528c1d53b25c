import Shared

// Every option and argument, once: a name means the same wherever it stands.

extension Option {
    package static let help = Option("help", short: "h", "what the command does, with an example")
    package static let version = Option("version", "the version of this program")
    package static let workspace = Option("workspace", .text("ID"), "another workspace than ws_dev")
    /// Stand with every command.
    package static let everywhere: [Option] = [.help, .workspace]

    package static let actor = Option("actor", .text("ID"), "only what this actor did")
    package static let all = Option("all", short: "a", "also what is settled")
    package static let check = Option("check", "only compare; change nothing")
    package static let force = Option("force", "move aside what is there; nothing is removed")
    package static let follow = Option("follow", short: "f", "stay, and show what happens next")
    package static let category = Option("category", .text("WORD"), "of this category")
    package static let correlation = Option("correlation", .text("ID"), "only what belongs together under this id")
    package static let demo = Option("demo", "also run a demonstration, which waits for your approval")
    package static let experiment = Option("experiment", .text("ID"), "only what belongs to this experiment")
    package static let incident = Option("incident", .text("ID"), "only what belongs to this incident")
    package static let json = Option(
        "json", .optional("FIELDS"), "as JSON: the API's own answer, or only these members of it: a,b.c")
    package static let kind = Option(
        "kind", .choice(SearchDocument.Kind.allCases.map(\.rawValue)), "only things of this kind")
    package static let limit = Option("limit", short: "n", .integer("N", 1...100_000), "at most so many")
    package static let man = Option("man", "all of it as a man page, aos(1)")
    package static let message = Option("message", short: "m", .text("REASON"), "why; it is kept in the history")
    package static let output = Option(
        "output", short: "o", .text("FILE"), "write to the file, `-` for standard output")
    package static let port = Option("port", .integer("N", 0...65_535), "where the api listens; 0 picks a free port")
    package static let printLink = Option("print", "only print the link; open nothing")
    package static let readOnly = Option("read-only", "a session that may look and not touch")
    package static let reason = Option("reason", .text("TEXT"), "the same as --message")
    package static let room = Option("room", .text("ID"), "the room: its id, the beginning of it, or its exact title")
    package static let run = Option("run", .text("ID"), "only what belongs to this run")
    package static let since = Option("since", .text("TIME"), "from this time on, such as 2026-03-04T05:06:07Z")
    package static let severity = Option(
        "severity", .choice(IncidentSeverity.allCases.map(\.rawValue)), "how bad it is")
    package static let status = Option(
        "status",
        .choice(
            RunStatus.allCases.map(\.rawValue)
                + ExperimentStatus.allCases.map(\.rawValue)),
        "only those in this state; incidents are open or closed")
    package static let step = Option("step", .text("ID"), "only what belongs to this step")
    package static let summary = Option("summary", .text("TEXT"), "more about it, in a sentence or two")
    package static let thread = Option("thread", .text("ID"), "only what belongs to this conversation")
    package static let timeout = Option(
        "timeout", .integer("SECONDS", 1...604_800), "give up after so long; nothing is stopped by that")
    package static let origin = Option("origin", "also where each value comes from")
    package static let to = Option(
        "to", .text("PLACE"),
        "where to: a new, empty database's postgres://… or sqlite:PATH; for a backup a data directory")
    package static let title = Option("title", .text("TEXT"), "what the run is called in lists")
    package static let type = Option("type", .text("TYPE"), "only events of this type, such as run.failed")
    package static let types = Option("types", .text("TYPES"), "only events of these types, separated by commas")
    package static let untilWaiting = Option("until-waiting", "also end when the run waits for a person (exit 3)")
    package static let verify = Option("verify", "only rehearse: check all of it in a temporary folder, change nothing")
    package static let yes = Option("yes", "do not ask")
    package static let until = Option("until", .text("TIME"), "only before this time")
    package static let withSystem = Option("system", "also the events of the instance itself: starts, kill switch")
    package static let wait = Option("wait", short: "w", "show the run until it ends or waits for a person")
}

extension Argument {
    package static let approval = Argument("APPROVAL", "the approval's id, or enough of it")
    package static let artifact = Argument("ARTIFACT", "the artifact's id, or enough of it")
    package static let backup = Argument("FILE", "a backup")
    package static let backupTarget = Argument(
        "FILE", "a new file; in a folder that is there it is called aos-TIME.tar")
    package static let event = Argument("EVENT", "the event's id, or its number in `aos events`")
    package static let anyID = Argument(
        "ID", "the id of anything, or enough of it; a number is that of an event (aos events)")
    package static let call = Argument("CALL", "the tool call's id, or enough of it")
    package static let engine = Argument("ENGINE", "the engine's id, or enough of it")
    package static let engineName = Argument("NAME", "what the engine is called, such as laptop-2")
    package static let experiment = Argument("EXPERIMENT", "the experiment's id, or enough of it")
    package static let incident = Argument("INCIDENT", "the incident's id, or enough of it")
    package static let incidentTitle = Argument("TITLE", "what went wrong, in a few words")
    package static let lesson = Argument("LESSON", "the lesson's id, or enough of it")
    package static let message = Argument("MESSAGE", "the message's id, or enough of it")
    package static let outcome = Argument("OUTCOME", "how it really ended", choices: ["succeeded", "failed"])
    package static let plan = Argument("FILE", "a plan, a run's input or a whole run as JSON; `-` reads standard input")
    package static let room = Argument("ROOM", "the room's exact title, its id, or enough of it")
    package static let roomTitle = Argument("TITLE", "what the room is called")
    package static let run = Argument("RUN", "the run's id, or enough of it")
    package static let scorecard = Argument("SCORECARD", "the scorecard's id, or enough of it")
    package static let searchText = Argument("TEXT", "what to find, at least 2 characters")
    package static let shell = Argument(
        "SHELL", "which shell", choices: Completions.Shell.allCases.map(\.rawValue))
    package static let step = Argument("STEP", "the step's id, or enough of it")
    package static let text = Argument("TEXT", "what to say; `-` reads standard input")
    package static let thread = Argument("THREAD", "the conversation's id, or enough of it")
    package static let threadTitle = Argument("TITLE", "what the conversation is about")
    package static let thingKind = Argument(
        "KIND", "the kind of thing", choices: ThingKind.allCases.map(\.rawValue))
    package static let topic = Argument("TOPIC", "a command or a topic", isOptional: true)
    package static let topicVerb = Argument("VERB", "the command's verb", isOptional: true)
}
