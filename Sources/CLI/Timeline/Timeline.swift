package import Shared

/// A run as it unfolds: a line for each event, indented by step.
package struct Timeline: Sendable {
    private static let timeColumns = 14
    private static let indent = "  "

    private let screen: Console.Screen
    private let showsOutput: Bool
    private var memory: EventSentence.Memory
    private var lastStep: StepID?
    /// The commands of the line before: they need no saying twice.
    private var lastCommands: [String] = []

    /// - Parameter outputLinesMax: How many lines of what a call has written; nil for a few, on a terminal only.
    package init(for screen: Console.Screen, outputLinesMax: Int? = nil) {
        (self.screen, showsOutput) = (screen, outputLinesMax != nil)
        memory = EventSentence.Memory(outputLinesMax: outputLinesMax ?? ToolSummary.tailLinesMax)
    }

    /// The lines of the next event.
    package mutating func lines(for row: EventRow) -> [String] {
        let event = try? EventCatalogue.decode(row.eventType, row.data)
        if let event { memory.learn(row, event) }
        let sentence = event.map { EventSentence(row, $0, memory) } ?? EventSentence(row)
        guard screen.isTerminal else { return [tabbed(row, sentence)] + output(row, sentence) }
        return block(row, sentence)
    }

    private func tabbed(_ row: EventRow, _ sentence: EventSentence) -> String {
        Table.tabbed([
            row.recordedAt.description, String(row.streamSeq), row.eventType, row.stepID.map { memory.name($0) } ?? "",
            sentence.text,
        ])
    }

    /// What calls have written, as rows of their own.
    private func output(_ row: EventRow, _ sentence: EventSentence) -> [String] {
        guard showsOutput else { return [] }
        return sentence.details.map { line in
            Table.tabbed([
                row.recordedAt.description, String(row.streamSeq), "output", row.stepID.map { memory.name($0) } ?? "",
                line,
            ])
        }
    }

    private mutating func block(_ row: EventRow, _ sentence: EventSentence) -> [String] {
        let time = screen.styled(TextWidth.padded(Amounts.timeOfDay(row.recordedAt), to: Self.timeColumns), .dim)
        let margin = String(repeating: Self.indent, count: sentence.depth)
        let room = screen.columns - Self.timeColumns - margin.utf8.count - 2
        var text = CleanText.line(sentence.text)
        // Steps run side by side: say whose line it is when the line before was another's.
        if sentence.depth == 2, let step = row.stepID, step != lastStep {
            text = "\(CleanText.line(memory.name(step))): \(text)"
        }
        lastStep = row.stepID
        let shown = TextWidth.cut(text, to: max(20, room), mark: screen.ellipsis)
        var lines = ["\(time)\(margin)\(sentence.mark.text(screen)) \(screen.styled(shown, style(sentence)))"]
        let blank = String(repeating: " ", count: Self.timeColumns) + margin + "  "
        let bar = screen.hasUnicode ? "│" : "|"
        for detail in sentence.details {
            let cut = TextWidth.cut(CleanText.line(detail), to: max(20, room - 2), mark: screen.ellipsis)
            lines.append(blank + screen.styled("\(bar) \(cut)", .dim))
        }
        let commands = sentence.commands.filter { !lastCommands.contains($0) }
        lastCommands = sentence.commands
        for command in commands { lines.append(blank + screen.styled(CleanText.line(command), .bold)) }
        return lines
    }

    private func style(_ sentence: EventSentence) -> Style {
        switch (sentence.depth, sentence.mark) {
        case (0, .succeeded): .boldGreen
        case (0, .failed), (0, .refused): .boldRed
        case (0, .queued), (_, .note): .dim
        case (0, _): .bold
        case (_, .asking): .yellow
        case (_, .failed), (_, .refused): .red
        default: .plain
        }
    }
}
