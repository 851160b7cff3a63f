"""The journeys of the demonstration, played through the console by people with passkeys."""
