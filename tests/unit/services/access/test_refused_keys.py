from services.access.refused_keys import MAX_REMEMBERED, RefusedKeys

CLIENT, OTHER_CLIENT = "203.0.113.7", "203.0.113.8"


def test_the_same_key_of_the_same_client_is_one_guess_an_hour() -> None:
    refused = RefusedKeys(3_600)
    assert refused.is_guess(CLIENT, "dead", 0)
    assert not any(refused.is_guess(CLIENT, "dead", second) for second in range(0, 3_600, 60))
    assert refused.is_guess(CLIENT, "dead", 3_600)
    assert not refused.is_guess(CLIENT, "dead", 3_601)


def test_another_key_or_another_client_is_another_guess() -> None:
    refused = RefusedKeys(3_600)
    guesses = [(CLIENT, "one"), (CLIENT, "two"), (OTHER_CLIENT, "one"), (CLIENT, "\ud83d")]
    assert all(refused.is_guess(client, key, 0) for client, key in guesses)
    assert not any(refused.is_guess(client, key, 1) for client, key in guesses)


def test_many_guesses_are_forgotten_rather_than_all_kept() -> None:
    refused = RefusedKeys(3_600)
    for number in range(MAX_REMEMBERED):
        assert refused.is_guess(CLIENT, str(number), 0)
    assert not refused.is_guess(CLIENT, "0", 1)
    assert refused.is_guess(CLIENT, "one more", 1)
    assert refused.is_guess(CLIENT, "1", 1)
