/// Text that others have made, made harmless: nothing in it moves a cursor, recolours, reorders or hides.
package enum CleanText {
    private static let mark: Unicode.Scalar = "\u{FFFD}"

    /// One line: line ends and tabs become blanks.
    package static func line(_ text: String) -> String {
        guard isSuspect(text) else { return text }
        return cleaned(text, lineEnd: " ")
    }

    /// The lines of a text; what a carriage return would have overwritten is a line of its own.
    package static func lines(_ text: String) -> [String] {
        cleaned(text, lineEnd: "\n").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    /// JSON for a screen: what ``line(_:)`` would remove stands as `\uXXXX`, so that it still is the same JSON.
    package static func escapedJSON(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: { $0 != "\n" && isHarmful($0) }) else { return json }
        var result = String.UnicodeScalarView()
        for scalar in json.unicodeScalars {
            if scalar == "\n" || !isHarmful(scalar) {
                result.append(scalar)
            } else {
                for unit in UTF16.encode(scalar)! {
                    let hex = String(unit, radix: 16)
                    result += ("\\u" + String(repeating: "0", count: 4 - hex.count) + hex).unicodeScalars
                }
            }
        }
        return String(result)
    }

    /// Whether there is anything to clean. Most text is plain ASCII.
    private static func isSuspect(_ text: String) -> Bool {
        text.utf8.contains { $0 < 0x20 || $0 >= 0x7F }
    }

    private static func cleaned(_ text: String, lineEnd: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        var scalars = text.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "\u{1B}": skipEscape(&scalars)
            case "\u{9B}": skipControlSequence(&scalars)
            case "\u{90}", "\u{9D}", "\u{98}", "\u{9E}", "\u{9F}": skipString(&scalars)
            case "\r":
                if scalars.first == "\n" { scalars.removeFirst() }
                result.append(lineEnd)
            case "\n", "\u{0B}", "\u{0C}", "\u{85}", "\u{2028}", "\u{2029}": result.append(lineEnd)
            case "\t": result.append(" ")
            case _ where isHarmful(scalar): result.append(mark)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true
        // Marks that reorder text (UAX #9).
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x206F: true
        // Characters without a shape, by which two texts look the same.
        case 0xAD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B...0x180F, 0x200B...0x200D, 0x2028, 0x2029,
            0x2060...0x2065, 0x3164, 0xFEFF, 0xFFA0, 0xFFF0...0xFFFB, 0xE0000...0xE0FFF:
            true
        default: false
        }
    }

    // MARK: Escape sequences (ECMA-48)

    private static func skipEscape(_ scalars: inout Substring.UnicodeScalarView) {
        switch scalars.first {
        case "[":
            scalars.removeFirst()
            skipControlSequence(&scalars)
        case "]", "P", "X", "^", "_":
            scalars.removeFirst()
            skipString(&scalars)
        default:
            while let next = scalars.first, (0x20...0x2F).contains(next.value) { scalars.removeFirst() }
            if let next = scalars.first, (0x30...0x7E).contains(next.value) { scalars.removeFirst() }
        }
    }

    private static func skipControlSequence(_ scalars: inout Substring.UnicodeScalarView) {
        while let next = scalars.first, (0x20...0x3F).contains(next.value) { scalars.removeFirst() }
        if let next = scalars.first, (0x40...0x7E).contains(next.value) { scalars.removeFirst() }
    }

    /// Up to the terminator; one without is no reason to swallow everything that follows.
    private static func skipString(_ scalars: inout Substring.UnicodeScalarView) {
        var ahead = scalars
        while let next = ahead.popFirst() {
            switch next {
            case "\u{07}", "\u{9C}":
                scalars = ahead
                return
            case "\u{1B}" where ahead.first == "\\":
                ahead.removeFirst()
                scalars = ahead
                return
            case "\n", "\r", "\u{1B}": return
            default: break
            }
        }
    }
}
