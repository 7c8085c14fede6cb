"""Forms of instructions, and the words that fill them (smollm2_prompts.py)."""

FORMS = {
    "explain": (
        "What is {topic}?",
        "Explain {topic}.",
        "How does {topic} work?",
        "Why is {topic} important?",
        "Tell me about {topic}.",
        "Give a short definition of {topic}.",
        "What should everyone know about {topic}?",
        "What is a common misunderstanding about {topic}?",
        "What is the difference between {topic} and {topic}?",
        "What would the world be like without {topic}?",
        "What do scientists say about {topic}?",
        "Where do we meet {topic} in everyday life?",
        "Who was {person}?",
        "What is {place} known for?",
        "Why do people visit {place}?",
    ),
    "list": (
        "List {few} {things}.",
        "Name {few} {things} and say one thing about each.",
        "Give me {few} tips for {activity}.",
        "Count from {small} to {large}.",
        "Count backwards from {large} in steps of {digit}.",
        "What is {small} plus {large}?",
        "What is {large} minus {small}?",
        "What is {digit} times {small}?",
        "Write the multiplication table of {digit}.",
        "What do I need for {activity}?",
        "What are the advantages and disadvantages of {activity}?",
        "Give step-by-step instructions for {activity}.",
        "Make a plan of {few} days for {activity}.",
        "I have {large} {things} and give away {small}. How many are left?",
        "Sort these from small to large: {things}, {things}, {things}.",
    ),
    "code": (
        "Write a Python function that {task}.",
        "Write a {language} program that {task}.",
        "Show me code in {language} that {task}.",
        "How do I write a loop in {language} that {task}?",
        "Write a Python class for {record}.",
        "Write a test for a Python function that {task}.",
        "Write an SQL query that finds {record} by name.",
        "Which data structure should I use for {record} in {language}?",
        "What does this Python code do? for i in range({digit}): print(i * {digit})",
        "What does this Python code print? x = {small}; y = {large}; print(x + y)",
        "Write a {language} function with two arguments that {task}.",
        "Write a command line tool in {language} that {task}.",
        "Write JSON that describes {record}.",
        "Write an HTML page about {record}.",
    ),
    "story": (
        "Write a short story about {character} who {deed}.",
        "Write a poem about {character}.",
        "Write a letter from {character} to {character}.",
        "Write a dialogue between {character} and {character}.",
        "Describe a day in the life of {character}.",
        "Continue this story: Once upon a time, {character} {deed}.",
        "Write an email to my {relation} about {activity}.",
        "Rewrite this sentence in a formal style: My {relation} {deed}.",
        "Rewrite this sentence as a question: {character} {deed}.",
        "Write a news report: {character} {deed}.",
        "Write a song about {place}.",
        "Write a diary entry of {character} in {place}.",
        "Write a birthday card for my {relation}.",
        "Invent a legend about why {character} {deed}.",
        "Describe {place} to someone who has never been there.",
    ),
}

# Kinds of words, each with its words between bars.
TEXTS = {
    "topic": (
        "photosynthesis|gravity|inflation|electricity|the water cycle|evolution|democracy|a black hole"
        "|the immune system|climate change|a computer virus|machine learning|the internet|a transistor"
        "|the stock market|magnetism|friction|sound|light|the human heart|memory|sleep|vaccination|recycling"
        "|solar energy|nuclear power|a volcano|an earthquake|the moon|the solar system|DNA|a cell|bacteria"
        "|fermentation|digestion|supply and demand|insurance|a mortgage|taxation|probability|algebra|geometry"
        "|prime numbers|encryption|a database|an operating system|a microscope|a telescope|a steam engine|a battery"
        "|glass|steel|plastic|music theory|grammar|metaphor|irony|the scientific method|biodiversity|an ecosystem"
        "|erosion|a glacier|the atmosphere|ozone|rain|lightning|a rainbow|the tide|migration|hibernation|camouflage"
        "|pollination"
    ),
    "person": (
        "Albert Einstein|Marie Curie|Isaac Newton|Charles Darwin|Leonardo da Vinci|William Shakespeare|Ada Lovelace"
        "|Mahatma Gandhi|Nelson Mandela|Napoleon|Cleopatra|Julius Caesar|Aristotle|Plato|Galileo|Mozart|Beethoven"
        "|Abraham Lincoln|Rosa Parks|Alan Turing|Nikola Tesla|Thomas Edison|Jane Austen|Mark Twain"
        "|Florence Nightingale"
    ),
    "place": (
        "Paris|Rome|Egypt|the Grand Canyon|Tokyo|New York|London|Iceland|the Amazon|Venice|Kenya|Australia|Peru"
        "|Greece|the Sahara|Istanbul|Brazil|Norway|the Alps|India|China|Mexico|Canada|Hawaii|Berlin|Vienna|Scotland"
        "|Morocco"
    ),
    "things": (
        "fruits|animals|countries|colors|planets|books|movies|sports|musical instruments|trees|flowers|birds|insects"
        "|vegetables|tools|board games|hobbies|languages|rivers|mountains|inventions|desserts|spices|fish|jobs"
        "|vehicles|school subjects|kitchen tools|toys|drinks|dances|shapes|metals|oceans|famous paintings"
        "|breeds of dogs"
    ),
    "activity": (
        "learning a language|baking bread|planning a trip|saving money|growing tomatoes|running a marathon"
        "|a job interview|a birthday party|moving to a new city|buying a used car|cleaning the house|camping|hiking"
        "|painting a room|starting a small business|writing a book|public speaking|studying for an exam"
        "|sleeping better|eating healthy food|training a dog|riding a bicycle|playing chess|making coffee"
        "|cooking rice|a school trip|a picnic|working from home|reading more books|making new friends"
        "|taking photographs|learning to swim"
    ),
    "task": (
        "adds two numbers|reverses a string|counts the words in a text|finds the largest number in a list"
        "|checks whether a number is prime|sorts a list of names|computes a factorial|prints the Fibonacci numbers"
        "|reads a file line by line|removes duplicates from a list|checks whether a word is a palindrome"
        "|converts Celsius to Fahrenheit|computes the average of a list|merges two dictionaries|counts vowels"
        "|generates a random password|validates an email address|draws a triangle of stars|finds common elements"
        "|splits a sentence into words|computes the area of a circle|converts a number to binary|sums even numbers"
        "|rolls two dice|parses a date|downloads a web page|guesses a number|capitalizes every word|shuffles cards"
    ),
    "language": "Python|JavaScript|Java|C++|C|Rust|Go|Ruby|C#|PHP|Swift|TypeScript|Kotlin|Bash",
    "record": (
        "a bank account|a book in a library|a student|a shopping cart|a car|a weather station|a recipe|a movie"
        "|an employee|a hotel room|a pet|a football team|a playlist|a to-do list|a customer|an invoice|a plane ticket"
        "|a city|a garden"
    ),
    "character": (
        "a shy dragon|an old fisherman|a curious cat|a lonely robot|a young princess|a brave mouse|a clumsy wizard"
        "|a tired teacher|a talking tree|a lost astronaut|a small village baker|a proud lion|a clever fox|two sisters"
        "|a sleepy bear|a blind musician|a retired pirate|a nervous detective|a kind ghost|a stubborn donkey"
        "|a gardener|a wandering merchant|a forgotten toy|a night nurse|a lighthouse keeper|a little star|a snowman"
        "|an orphan"
    ),
    "deed": (
        "found a hidden door|lost a golden key|learned to fly|saved the town|made a new friend|got lost in the forest"
        "|built a boat|told a lie|wanted to see the sea|received a strange letter|opened a small shop"
        "|forgot a promise|climbed the highest mountain|broke an old clock|planted a magic seed|missed the last train"
        "|won a race|discovered a secret map|cooked a terrible soup|heard a voice at night|moved into an empty house"
        "|stole a pie"
    ),
    "relation": (
        "teacher|boss|mother|brother|neighbor|best friend|landlord|colleague|grandfather|sister|doctor|cousin|uncle"
        "|coach"
    ),
}
WORDS = {kind: text.split("|") for kind, text in TEXTS.items()}
