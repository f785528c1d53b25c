package enum CLIProgram { package static func run(_ a: [String], environment: [String: String]) -> Int32 { 0 } }
