(* A network whose rows are given by the coefficients that are not 0, and the network of Certificate.v that it stands for.  A layer
   of a convolution takes little room in this way. *)
From Coq Require Import ZArith List Bool.
From ExactRelu Require Import Certificate Vectors Systems Checker.
Import ListNotations.
Local Open Scope Z_scope.

(* x |-> (constant + sum of v x_j over the terms (j, v)) * 2^exponent; columns count from 0 *)
Record sparse_row := SparseRow { sparse_exponent : Z; sparse_constant : Z; row_terms : list (nat * Z) }.
(* the rows, each with the mark that says whether a relu follows *)
Record sparse_layer := SparseLayer { sparse_inputs : nat; sparse_rows : list (sparse_row * bool) }.
Record sparse_network := SparseNetwork { sparse_network_inputs : nat; sparse_layers : list sparse_layer }.

(* what they stand for: coefficients in n columns, v in column j for every term (j, v) *)
Definition dense_coefficients (n : nat) (ts : list (nat * Z)) : list Z :=
  combination (tmap snd ts) (tmap (fun t => unit_at n (fst t) 1) ts) (zeros n).
Definition dense_row (n : nat) (r : sparse_row) : row := Row (sparse_exponent r) (sparse_constant r) (dense_coefficients n (row_terms r)).
Definition dense_layer (l : sparse_layer) : layer :=
  Layer (sparse_inputs l) (tmap (fun rb => dense_row (sparse_inputs l) (fst rb)) (sparse_rows l)) (tmap snd (sparse_rows l)).
Definition dense_network (net : sparse_network) : network :=
  Network (sparse_network_inputs net) (tmap dense_layer (sparse_layers net)).

(* every layer takes what the one before it gives, and its terms are in its columns *)
Fixpoint sparse_widths_ok (n : nat) (ls : list sparse_layer) : bool :=
  match ls with
  | [] => true
  | l :: ls' =>
      Nat.eqb (sparse_inputs l) n
      && forallb (fun rb => forallb (fun t => Nat.ltb (fst t) n) (row_terms (fst rb))) (sparse_rows l)
      && sparse_widths_ok (size_of (sparse_rows l)) ls'
  end.
Definition sparse_network_ok (net : sparse_network) : bool := sparse_widths_ok (sparse_network_inputs net) (sparse_layers net).

(* a layer of Certificate.v without its coefficients that are 0 *)
Fixpoint terms_onto (j : nat) (a : list Z) (reversed : list (nat * Z)) : list (nat * Z) :=
  match a with
  | [] => rev_append reversed []
  | v :: a' => terms_onto (S j) a' (if v =? 0 then reversed else (j, v) :: reversed)
  end.
Definition sparse_row_of (r : row) : sparse_row := SparseRow (exponent r) (constant r) (terms_onto 0 (coefficients r) []).
Definition sparse_rows_of (l : layer) : list (sparse_row * bool) :=
  tmap2 (fun r (b : bool) => (sparse_row_of r, b)) (rows l) (rectified l).
