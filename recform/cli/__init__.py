"""The command line: one small function a command, which parses options, calls, and prints.

Results go to stdout, talk to stderr. The exit code is 0, 1 (something in your input) or 2 (usage).

The command:

    main              where it starts
    application       the commands put together, as typer sees them
    arguments         what several commands take
    output            printing: results here, talk there
    place             where a command writes, checked first
    user_code         code that a formula names

Formulas:

    analyze           their paths, counted
    analysis_page     what it prints
    check             whether it is a formula
    show              in normal form, LaTeX, MathML, unrolled
    list_formulas     those that come with recform
    equal             whether two have the same paths
    compare_formulas  several side by side
    mutate            the neighbours of one
    design            from wanted paths to formulas
    design_page       what it prints

Networks:

    build             a formula on a backbone
    backbones         which there are
    export            for other programs
    weights           networks with weights, read from a folder

Training:

    train             a network learns
    beginning         the network it begins with, and whose weights
    progress          the bar, or a line an epoch
    sweep             formulas, backbones and seeds
    jobs              a sweep's runs as processes
    data              what can be trained on
    evaluate          a trained network asked
    extract           what it sees, as arrays
    probe             measured against its formula's paths
    probe_tables      what it prints
    subject           which network it measures, on what
    spectrum          the paths, weighted as training left them

Results:

    compare           which of several models are better
    compare_page      what it prints
    plot              pictures
    report            all on one page
"""
