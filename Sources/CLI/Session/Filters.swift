import Shared

extension Session {
    /// The query that these options make, ids looked up.
    /// - Parameter names: The query parameter of each option that may stand.
    package func filters(_ invocation: Invocation, _ names: KeyValuePairs<Option, String>) throws -> [(String, String)]
    {
        try names.compactMap { option, name in
            try invocation[option].map { (name, try value($0, of: option)) }
        }
    }

    private func value(_ text: String, of option: Option) throws -> String {
        switch option {
        case .run: try runID(text).rawValue
        case .room: try roomID(text).rawValue
        case .step: try id(text, .step)
        case .thread: try id(text, .thread)
        case .experiment: try id(text, .experiment)
        case .incident: try incidentID(text).rawValue
        default: text
        }
    }

    /// The end of an id, by which it can be named too.
    package func end(of id: String?) -> String { id.map { "\(console.output.ellipsis)\($0.suffix(8))" } ?? "" }
}
