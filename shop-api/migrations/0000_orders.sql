CREATE TABLE "orders" (
	"number" bigserial PRIMARY KEY,
	"id" text NOT NULL UNIQUE,
	"cart_id" text NOT NULL,
	"state" text NOT NULL,
	"version" integer NOT NULL,
	"currency" text NOT NULL,
	"subtotal" bigint NOT NULL CHECK ("subtotal" >= 0),
	"shipping" bigint NOT NULL CHECK ("shipping" >= 0),
	"tax" bigint NOT NULL CHECK ("tax" >= 0),
	"total" bigint NOT NULL CHECK ("total" = "subtotal" + "shipping" + "tax"),
	"email" text NOT NULL,
	"address" jsonb NOT NULL,
	"payment_method" text NOT NULL,
	"charge_id" text,
	"failure" jsonb,
	"created_at" timestamp (3) with time zone NOT NULL,
	"moved_at" timestamp (3) with time zone NOT NULL,
	"placed_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE INDEX "orders_unfinished" ON "orders" ("state", "moved_at");
--> statement-breakpoint
CREATE INDEX "orders_of_cart" ON "orders" ("cart_id", "number");
--> statement-breakpoint
CREATE TABLE "order_lines" (
	"order_number" bigint NOT NULL REFERENCES "orders" ("number"),
	"position" integer NOT NULL,
	"sku" text NOT NULL,
	"title" text NOT NULL,
	"variant_title" text NOT NULL,
	"quantity" integer NOT NULL CHECK ("quantity" BETWEEN 1 AND 99),
	"unit_price" bigint NOT NULL CHECK ("unit_price" >= 0),
	"line_total" bigint NOT NULL CHECK ("line_total" = "quantity" * "unit_price"),
	"hold_id" text NOT NULL,
	"location" text NOT NULL,
	PRIMARY KEY ("order_number", "position")
);
--> statement-breakpoint
CREATE TABLE "idempotency_keys" (
	"scope" text NOT NULL,
	"key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"order_number" bigint NOT NULL REFERENCES "orders" ("number"),
	"created_at" timestamp (3) with time zone NOT NULL,
	PRIMARY KEY ("scope", "key")
);
--> statement-breakpoint
CREATE TABLE "test_charges" (
	"idempotency_key" text PRIMARY KEY,
	"charge_id" text NOT NULL,
	"amount" bigint NOT NULL,
	"currency" text NOT NULL,
	"outcome" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
