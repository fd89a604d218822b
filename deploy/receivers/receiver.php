<?php
// The smallest honest receiver for PHP 8 or later, without dependencies. Behind any web server, or to try it:
//   WEBHOOK_SECRET=whsec_… SEEN_FOLDER=/var/lib/receiver php -S localhost:3000 receiver.php
declare(strict_types=1);

const TOLERANCE_SECONDS = 300;
// As long as the relay keeps deliveries (PARKED_MAX_AGE_DAYS), and more.
const KEEP_SECONDS = 7 * 86400;

/** Your work. What it throws is answered with 500, and the relay tries again. */
function handle(array $event): void
{
    error_log($event['event'] . ' of ' . ($event['instance'] ?? ''));
}

function is_signed(string $key, string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if ($id === '' || !ctype_digit($timestamp) || abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $key, true));
    // Two signatures while a secret is being changed: one of them has to fit.
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $each) {
        if (hash_equals($expected, $each)) {
            return true;
        }
    }
    return false;
}

/** An empty file for each id; `x` makes it or fails, so that of two requests at once one handles the event. */
function receive(string $body, string $folder): int
{
    $id = hash('sha256', $_SERVER['HTTP_WEBHOOK_ID']);
    if (file_exists("$folder/$id.done")) {
        return 200;
    }
    $claim = @fopen("$folder/$id.claim", 'x');
    if ($claim === false) {
        // Under way: the relay is to ask again. One that is old was left by a process that died.
        if (time() - (int) @filemtime("$folder/$id.claim") > 600) {
            @unlink("$folder/$id.claim");
        }
        return 409;
    }
    fclose($claim);
    try {
        handle(json_decode($body, true, 512, JSON_THROW_ON_ERROR));
        touch("$folder/$id.done");
        return 200;
    } catch (Throwable $error) {
        error_log((string) $error);
        return 500;
    } finally {
        @unlink("$folder/$id.claim");
    }
}

function forget_old(string $folder): void
{
    foreach (glob("$folder/*.done") ?: [] as $file) {
        if (time() - (int) @filemtime($file) > KEEP_SECONDS) {
            @unlink($file);
        }
    }
}

$secret = getenv('WEBHOOK_SECRET') ?: '';
$key = base64_decode(preg_replace('/^whsec_/', '', $secret));
$folder = getenv('SEEN_FOLDER') ?: sys_get_temp_dir() . '/webhook-ids';
if ($key === '') {
    http_response_code(500);
    error_log('WEBHOOK_SECRET must be set');
    return;
}
if (!is_dir($folder)) {
    @mkdir($folder, 0700, true);
}
// The bytes as they came: JSON that was parsed and written again has another signature.
$body = file_get_contents('php://input') ?: '';
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
    http_response_code(405);
} else {
    http_response_code(is_signed($key, $body) ? receive($body, $folder) : 401);
}
if (random_int(1, 1000) === 1) {
    forget_old($folder);
}
