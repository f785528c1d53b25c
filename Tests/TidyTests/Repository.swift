import Platform

/// The checkout the tests were built from.
enum Repository {
    static let root: String = {
        let file = #filePath
        return String(file.prefix(upTo: file.range(of: "/Tests/TidyTests")!.lowerBound))
    }()

    static func text(_ path: String) throws -> String {
        String(decoding: try Files.read("\(root)/\(path)", bytesMax: 16 << 20), as: UTF8.self)
    }

    /// All files below a folder whose names end so, as paths from the root, sorted.
    static func files(below folder: String, ending: String) throws -> [String] {
        var found: [String] = []
        for name in try Files.list("\(root)/\(folder)") {
            let path = "\(folder)/\(name)"
            switch Files.status("\(root)/\(path)")?.kind {
            case .folder where !name.hasPrefix("."): found += try files(below: path, ending: ending)
            case .file where name.hasSuffix(ending): found.append(path)
            default: break
            }
        }
        return found.sorted()
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<String.Index>? { firstRange(of: text) }
}
