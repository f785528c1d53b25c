package import Platform

/// A pattern for paths: `*` and `?` stay within a name, `**` stands for any folders, `[a-z]` and `[!a-z]` for one
/// character. A leading dot must be written out.
package struct Glob: Sendable {
    package static let depthMax = 32

    private let parts: [[UInt8]]

    package init(_ pattern: String) {
        parts = pattern.utf8.split(separator: UInt8(ascii: "/")).map(Array.init).filter { $0 != [UInt8(ascii: ".")] }
    }

    package func matches(_ path: String) -> Bool {
        Self.match(parts[...], path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)[...])
    }

    /// The matching files, sorted. Links are not followed and never match.
    package func files(in root: Folder, atMost count: Int) throws(SystemError) -> [String] {
        var found: [String] = []
        try walk(root, [], &found, count)
        return found.sorted()
    }

    private func walk(_ folder: Folder, _ path: [String], _ found: inout [String], _ count: Int) throws(SystemError) {
        guard path.count < Self.depthMax else { return }
        for name in try folder.names() where found.count < count {
            guard let status = folder.status(name) else { continue }
            let below = path + [name]
            switch status.kind {
            case .file: if matches(below.joined(separator: "/")) { found.append(below.joined(separator: "/")) }
            case .folder: if mayHold(below) { try walk(try folder.folder(name), below, &found, count) }
            case .link, .other: break
            }
        }
    }

    /// Whether something beneath the folder can match.
    private func mayHold(_ path: [String]) -> Bool {
        for (index, name) in path.enumerated() {
            guard index < parts.count else { return false }
            if parts[index] == Self.anyFolders { return true }
            if !Self.matchName(parts[index][...], Array(name.utf8)[...]) { return false }
        }
        return path.count < parts.count
    }

    private static let anyFolders = Array("**".utf8)

    private static func match(_ pattern: ArraySlice<[UInt8]>, _ path: ArraySlice<[UInt8]>) -> Bool {
        guard let part = pattern.first else { return path.isEmpty }
        if part == anyFolders {
            if pattern.count == 1 { return !path.isEmpty && !path.contains { $0.first == UInt8(ascii: ".") } }
            return path.indices.contains { index in
                !path[..<index].contains { $0.first == UInt8(ascii: ".") } && match(pattern.dropFirst(), path[index...])
            }
        }
        guard let name = path.first, matchName(part[...], name[...]) else { return false }
        return match(pattern.dropFirst(), path.dropFirst())
    }

    private static func matchName(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        if name.first == UInt8(ascii: "."), pattern.first != UInt8(ascii: ".") { return false }
        return matchRest(pattern, name)
    }

    /// Goes back only to the last star, so that no pattern takes long.
    private static func matchRest(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        var (pattern, name) = (pattern, name)
        var star: (pattern: ArraySlice<UInt8>, name: ArraySlice<UInt8>)?
        while !name.isEmpty {
            if pattern.first == UInt8(ascii: "*") {
                pattern = pattern.dropFirst()
                star = (pattern, name)
            } else if let rest = matchOne(pattern, name.first!) {
                (pattern, name) = (rest, name.dropFirst())
            } else if let last = star {
                star = (last.pattern, last.name.dropFirst())
                (pattern, name) = (last.pattern, last.name.dropFirst())
            } else {
                return false
            }
        }
        return pattern.allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// The pattern after its first element, if that element takes the byte.
    private static func matchOne(_ pattern: ArraySlice<UInt8>, _ byte: UInt8) -> ArraySlice<UInt8>? {
        switch pattern.first {
        case UInt8(ascii: "?"): return pattern.dropFirst()
        case UInt8(ascii: "["): return matchSet(pattern, byte)
        case byte: return pattern.dropFirst()
        default: return nil
        }
    }

    private static func matchSet(_ pattern: ArraySlice<UInt8>, _ byte: UInt8) -> ArraySlice<UInt8>? {
        var rest = pattern.dropFirst()
        let isNegated = rest.first == UInt8(ascii: "!")
        if isNegated { rest = rest.dropFirst() }
        guard let end = rest.dropFirst().firstIndex(of: UInt8(ascii: "]")) else {
            return byte == UInt8(ascii: "[") ? pattern.dropFirst() : nil
        }
        let members = Array(rest[..<end])
        var isIn = false
        var index = 0
        while index < members.count {
            if index + 2 < members.count, members[index + 1] == UInt8(ascii: "-") {
                isIn = isIn || (members[index] <= byte && byte <= members[index + 2])
                index += 3
            } else {
                isIn = isIn || members[index] == byte
                index += 1
            }
        }
        return isIn != isNegated ? rest[(end + 1)...] : nil
    }
}
