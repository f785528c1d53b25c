/// What a tool takes: its members, and rules that hold between them.
package struct ArgumentSchema: Hashable, Sendable {
    package let fields: [ArgumentField]
    package let rules: [ArgumentRule]
}

/// One member of a tool's arguments.
package struct ArgumentField: Hashable, Sendable {
    package let name: String
    package let shape: ArgumentShape
    package let isRequired: Bool

    init(_ name: String, _ shape: ArgumentShape, required: Bool = false) {
        self.name = name
        self.shape = shape
        isRequired = required
    }
}

/// What the value of a member must look like.
package enum ArgumentShape: Hashable, Sendable {
    /// Program and arguments; no secrets.
    case argv
    /// Names and values for the environment of a process.
    case environment
    /// The path of a file inside the workdir.
    case file
    case flag
    /// The path of a folder inside the workdir.
    case folder
    case headers
    /// An RFC 3339 time.
    case instant
    case integer(ClosedRange<Int64>)
    case method
    /// Permission bits in octal, such as `0644`.
    case mode
    case object
    /// Shell text; no templates.
    case script
    /// One HTTP status, or several.
    case statuses
    case text(bytesMax: Int)
    case title
    case url
    /// Any JSON.
    case value
}

/// A rule between members.
package enum ArgumentRule: Hashable, Sendable {
    case atMostOne([String])
    case exactlyOne([String])
    /// Not together with a method that only reads.
    case noneWhenReading([String])
}

extension ArgumentSchema {
    package static let argvEntriesMax = 1024
    package static let argvBytesMax = 128 * 1024
    package static let environmentEntriesMax = 256
    package static let environmentBytesMax = 128 * 1024
    package static let fileReadBytesMax = 64 * 1024 * 1024
    package static let headerBytesMax = 8 * 1024
    package static let headersMax = 64
    package static let pathBytesMax = 4096
    package static let scriptBytesMax = 64 * 1024
    package static let sleepMsMax: Int64 = 2_592_000_000
    package static let statusesMax = 32
    package static let textBytesMax = 1024 * 1024
    package static let titleScalarsMax = 200
    package static let urlBytesMax = 8 * 1024

    static let approval = Self(
        fields: [ArgumentField("title", .title, required: true), ArgumentField("request", .object)], rules: [])

    static let fileList = Self(
        fields: [ArgumentField("path", .folder), ArgumentField("recursive", .flag)], rules: [])

    static let fileRead = Self(
        fields: [
            ArgumentField("path", .file, required: true),
            ArgumentField("max_bytes", .integer(1...Int64(fileReadBytesMax))),
        ], rules: [])

    static let fileWrite = Self(
        fields: [
            ArgumentField("path", .file, required: true), ArgumentField("text", .text(bytesMax: textBytesMax)),
            ArgumentField("json", .value), ArgumentField("mode", .mode),
        ], rules: [.exactlyOne(["text", "json"])])

    static let http = Self(
        fields: [
            ArgumentField("method", .method, required: true), ArgumentField("url", .url, required: true),
            ArgumentField("headers", .headers), ArgumentField("json", .value),
            ArgumentField("text", .text(bytesMax: textBytesMax)), ArgumentField("body_file", .file),
            ArgumentField("expect_status", .statuses),
        ],
        rules: [.atMostOne(["json", "text", "body_file"]), .noneWhenReading(["json", "text", "body_file"])])

    static let message = Self(
        fields: [
            ArgumentField("content_md", .text(bytesMax: Message.contentBytesMax), required: true),
            ArgumentField("thread_id", .text(bytesMax: Limits.nameBytesMax)),
            ArgumentField("lang", .text(bytesMax: Limits.nameBytesMax)),
        ], rules: [])

    static let shell = Self(
        fields: [
            ArgumentField("argv", .argv), ArgumentField("script", .script), ArgumentField("env", .environment),
            ArgumentField("stdin", .text(bytesMax: textBytesMax)), ArgumentField("network", .flag),
            ArgumentField("cwd", .folder),
        ], rules: [.exactlyOne(["argv", "script"])])

    static let sleep = Self(
        fields: [
            ArgumentField("duration_ms", .integer(0...sleepMsMax)), ArgumentField("until", .instant),
        ], rules: [.exactlyOne(["duration_ms", "until"])])
}
