import Engine

EngineProgram.main()
