"""The demo journeys, played through the console by people with passkeys."""
