import APIClient
import HTTP
import JSON
import Platform
import Shared

/// Conversations in rooms.
enum ThreadCommands {
    static let all: [Command] = [list, view, open]

    static let list = Command.list(
        "thread list", "The conversations of a room", aliases: ["thread ls"], arguments: [.room],
        examples: [Example("aos thread list main", "latest change first; a room by its title or its id")],
        ifEmpty: "no conversations yet: aos thread open TITLE --room ROOM",
        columns: [
            .init("THREAD"), .init("TITLE", isFlexible: true), .init("STATUS"), .init("CHANGED"), .init("OPENED"),
        ],
        reading: { invocation, session in
            Reading(.threads, ["room_id": try session.roomID(invocation[.room]).rawValue])
        }, rows: \.threads,
        cells: { thread, session in
            [
                Table.Cell(thread.threadID.rawValue), Table.Cell(thread.title, .bold), Table.Cell(thread.status),
                session.age(thread.updatedAt), session.age(thread.createdAt),
            ]
        })

    static let view = Command(
        "thread view", "One conversation: what was said in it, oldest first", aliases: ["thread show"],
        arguments: [.thread], options: [.limit, .json],
        examples: [Example("aos thread view th_01KQ", "the last 50 messages")]
    ) { invocation, session in
        if invocation.has(.json) { _ = try FieldSelection(invocation.names(.json), of: ThreadAnswer.self) }
        let id = try session.id(invocation[.thread], .thread)
        let reading = Reading(Endpoint.thread, ["thread_id": id])
        guard !invocation.has(.json) else {
            try session.printAnswer(invocation, reading)
            return .ok
        }
        let thread = try session.get(.thread, ["thread_id": id]).thread
        let messages = try session.rows(
            Reading(Endpoint.messages, ["thread_id": id]), limit: invocation.integer(.limit) ?? 50
        ) { $0.messages }
        let screen = session.console.output
        if screen.isTerminal {
            let about = "  \(thread.threadID), in \(thread.roomID), \(thread.status)"
            session.console.print(
                screen.styled(CleanText.line(thread.title), .bold) + screen.styled(CleanText.line(about), .dim))
        }
        for message in messages.reversed() { MessageCommands.show(message, session) }
        session.advise("answer: aos say \(id) TEXT")
        return .ok
    }

    static let open = Command(
        "thread open", "Begin a conversation", aliases: ["thread create"], arguments: [.threadTitle],
        options: [.room, .json],
        examples: [Example("aos thread open 'night shift' --room main", "prints the new thread's id")]
    ) { invocation, session in
        let room = try invocation[Option.room].map { try session.roomID($0) } ?? session.mainRoom()
        let answer = try session.call(
            .createThread, CreateThread(title: invocation[.threadTitle]), ["room_id": room.rawValue])
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(answer.threadID.rawValue)
        }
        return .ok
    }
}

enum MessageCommands {
    static let all: [Command] = [list, view, post]

    private static let lang = "und"

    static let list = Command.list(
        "message list", "What was said in a conversation, newest first", aliases: ["message ls"],
        arguments: [.thread],
        examples: [Example("aos message list th_01KQ --limit 5", "the last words")], ifEmpty: "nothing was said yet",
        columns: [.init("MESSAGE"), .init("SENDER", isFlexible: true), .init("SAID"), .init("TEXT", isFlexible: true)],
        reading: { invocation, session in
            Reading(.messages, ["thread_id": try session.id(invocation[.thread], .thread)])
        }, rows: \.messages,
        cells: { message, session in
            [
                Table.Cell(message.messageID.rawValue), Table.Cell("\(message.senderType):\(message.senderID)"),
                session.age(message.createdAt), Table.Cell(message.contentMd),
            ]
        })

    static let view = Command.view(
        "message view", "One message", aliases: ["message show"], argument: .message,
        examples: [Example("aos message view msg_01KQ", "who said it, when, and for which run")],
        reading: { text, session in Reading(.message, ["message_id": try session.id(text, .message)]) },
        show: { answer, session in
            session.print(try Facts(of: answer.message, session, leavingOut: ["content_md"]))
            session.console.print()
            for line in CleanText.lines(answer.message.contentMd) { session.console.print(line) }
        })

    static let post = Command(
        "message post", "Say something in a conversation", details: "TEXT is Markdown; `-` reads standard input.",
        aliases: ["say", "thread say"], arguments: [.thread, .text], options: [.json],
        examples: [
            Example("aos say th_01KQ 'The report is late'", "prints the new message's id"),
            Example("git log -1 | aos message post th_01KQ -", "what another program says"),
        ]
    ) { invocation, session in
        let id = try session.id(invocation[.thread], .thread)
        let text = try session.text(invocation[.text], bytesMax: Message.contentBytesMax)
        let answer = try session.call(.postMessage, PostMessage(contentMd: text, lang: lang), ["thread_id": id])
        if invocation.has(.json) {
            try session.printJSON(invocation, answer)
        } else {
            session.console.print(answer.messageID.rawValue)
        }
        return .ok
    }

    /// One message of a conversation.
    static func show(_ message: Message, _ session: Session) {
        let screen = session.console.output
        let sender = "\(message.senderType):\(message.senderID)"
        guard screen.isTerminal else {
            return session.console.print(
                Table.tabbed([
                    message.messageID.rawValue, message.createdAt.description, sender, message.contentMd,
                ]))
        }
        session.console.print()
        session.console.print(
            screen.styled(CleanText.line(sender), .cyan) + "  "
                + screen.styled(Amounts.age(message.createdAt, now: session.now), .dim)
                + "  " + screen.styled(session.end(of: message.messageID.rawValue), .dim))
        for line in CleanText.lines(message.contentMd) { session.console.print("  \(line)") }
    }
}

enum SearchCommand {
    static let all: [Command] = [search]

    static let search = Command.list(
        "search", "Find a text in what was said and kept",
        details: """
            Looks through messages, runs, artifacts and incidents, whatever the case; TEXT is taken literally. Best hits
            first. More about a hit: aos inspect ID.
            """,
        arguments: [.searchText], options: [.kind, .room, .thread], limit: 20,
        examples: [
            Example("aos search 'late report'", "the 20 best hits"),
            Example("aos search invoice --kind run", "only runs"),
        ], ifEmpty: "nothing has that text",
        columns: [
            .init("KIND"), .init("ID"), .init("TITLE", isFlexible: true), .init("TEXT", isFlexible: true),
            .init("CHANGED"),
        ],
        reading: { invocation, session in
            let filters = try session.filters(
                invocation, [.kind: "doc_type", .room: "room_id", .thread: "thread_id"])
            return Reading(.search, query: [("q", invocation[.searchText])] + filters)
        }, rows: \.docs,
        cells: { hit, session in
            [
                Table.Cell(hit.docType.rawValue), Table.Cell(hit.docID), Table.Cell(hit.title ?? "", .bold),
                Table.Cell(plain(hit.excerpt)), session.age(hit.updatedAt),
            ]
        })

    /// The api's excerpt without its only element and its escapes.
    private static func plain(_ excerpt: String) -> String {
        [
            ("<mark>", ""), ("</mark>", ""), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"),
            ("&amp;", "&"),
        ].reduce(excerpt) { text, pair in text.replacing(pair.0, with: pair.1) }
    }
}

extension Session {
    /// What an argument says, or standard input for `-`.
    func text(_ argument: String, bytesMax: Int) throws -> String {
        guard argument == "-" else { return argument }
        do throws(SystemError) {
            let text = String(decoding: try Terminal.readInput(bytesMax: bytesMax), as: UTF8.self)
            return text.last?.isNewline == true ? String(text.dropLast()) : text
        } catch { throw Failure(.failed, "standard input cannot be read: \(error)") }
    }
}
