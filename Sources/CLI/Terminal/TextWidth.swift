/// How many columns text takes on a screen.
package enum TextWidth {
    package static func of(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + of($1) }
    }

    package static func of(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first else { return 0 }
        if first.value < 0x300 { return 1 }
        if character.unicodeScalars.contains("\u{FE0F}") { return 2 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        default: return isWide(first.value) ? 2 : 1
        }
    }

    /// The text in at most so many columns; what is cut is shown by the mark.
    package static func cut(_ text: String, to columns: Int, mark: String) -> String {
        guard of(text) > columns else { return text }
        let room = columns - of(mark)
        guard room > 0 else { return String(mark.prefix(max(0, columns))) }
        var (kept, width) = ("", 0)
        for character in text {
            width += of(character)
            if width > room { break }
            kept.append(character)
        }
        return kept + mark
    }

    package static func padded(_ text: String, to columns: Int, right: Bool = false) -> String {
        let gap = String(repeating: " ", count: max(0, columns - of(text)))
        return right ? gap + text : text + gap
    }

    /// East Asian wide and full width, and emoji (UAX #11, by blocks).
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115F, 0x231A...0x231B, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97C, 0xAC00...0xD7A3,
            0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF,
            0x1F900...0x1F9FF, 0x1FA70...0x1FAFF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
