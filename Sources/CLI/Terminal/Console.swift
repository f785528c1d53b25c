import Platform
import Synchronization

/// Where a command speaks: data to standard output, everything else to standard error.
package final class Console: Sendable {
    /// One of the two streams, as its reader will see it.
    package struct Screen: Hashable, Sendable {
        package var isTerminal: Bool
        package var hasColour: Bool
        package var hasUnicode: Bool
        package var columns: Int

        package init(isTerminal: Bool = false, hasColour: Bool = false, hasUnicode: Bool = false, columns: Int = 80) {
            (self.isTerminal, self.hasColour, self.hasUnicode) = (isTerminal, hasColour, hasUnicode)
            self.columns = columns
        }

        /// A file or another program.
        package static let pipe = Screen()

        /// What a cut text ends in.
        package var ellipsis: String { hasUnicode ? "…" : "..." }

        package func styled(_ text: String, _ style: Style) -> String { style.applied(to: text, hasColour) }
    }

    private static let bufferBytesMax = 32 << 10
    private static let columnsDefault = 100

    package let output: Screen
    package let error: Screen
    private let sink: @Sendable (Int32, [UInt8]) throws -> Void
    private let buffer = Mutex<[UInt8]>([])

    package init(
        output: Screen, error: Screen, sink: @escaping @Sendable (Int32, [UInt8]) throws -> Void
    ) {
        (self.output, self.error, self.sink) = (output, error, sink)
    }

    /// The process's own.
    package convenience init(environment: [String: String]) {
        self.init(
            output: Self.screen(1, environment), error: Self.screen(2, environment),
            sink: { descriptor, bytes in try Terminal.write(bytes, to: descriptor) })
    }

    private static func screen(_ descriptor: Int32, _ environment: [String: String]) -> Screen {
        guard Terminal.isTerminal(descriptor) else { return .pipe }
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
        let name = locale.lowercased()
        let isDumb = environment["TERM"] == "dumb"
        return Screen(
            isTerminal: true, hasColour: !isDumb && (environment["NO_COLOR"] ?? "").isEmpty,
            hasUnicode: !isDumb && (name.hasSuffix("utf-8") || name.hasSuffix("utf8")),
            columns: Terminal.columns(descriptor) ?? columnsDefault)
    }

    /// A line of data.
    package func print(_ line: String = "") { write(Array((line + "\n").utf8)) }

    /// Data as it is.
    package func write(_ bytes: some Collection<UInt8>) {
        let full = buffer.withLock { buffer -> [UInt8] in
            buffer.append(contentsOf: bytes)
            guard buffer.count > Self.bufferBytesMax else { return [] }
            defer { buffer = [] }
            return buffer
        }
        send(full)
    }

    /// Hands on what was printed: before waiting, and at the end.
    package func flush() {
        send(
            buffer.withLock { buffer in
                defer { buffer = [] }
                return buffer
            })
    }

    /// A line that is no data: notes, progress, errors.
    package func note(_ line: String) {
        flush()
        // Standard error that cannot be written to leaves nobody to tell.
        try? sink(2, Array((line + "\n").utf8))
    }

    private func send(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        do { try sink(1, bytes) } catch {
            // Who has closed the pipe has read enough.
            let isOver = (error as? SystemError)?.isBrokenPipe == true
            if !isOver { try? sink(2, Array("aos: \(error)\n".utf8)) }
            Program.exit(isOver ? ExitCode.ok.rawValue : ExitCode.failed.rawValue)
        }
    }
}
